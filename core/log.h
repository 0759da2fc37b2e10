// SPDX-License-Identifier: Apache-2.0
// The program's own log, for operators; never evidence. To stderr: with the journal's level prefix
// (sd-daemon(3)) when JOURNAL_STREAM is set, else with time and level. Safe from any thread.
// Secrets never appear in a message.
#pragma once

#include <string_view>

namespace vouch::log {

enum class Level { debug, info, warn, error };

void set_level(Level level);
void debug(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

}  // namespace vouch::log
