// SPDX-License-Identifier: Apache-2.0
// The program's own log, for operators; never evidence. Where stderr leads to the journal, entries
// with fields go there (docs/operations.md names them); else lines with time and level go to
// stderr, without the fields, since a message says it all in words. Safe from any thread. Secrets
// never appear in a message or a field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::log {

enum class Level { debug, info, warn, error };

// "collector" is VOUCH_COLLECTOR in the journal: a to z, 0 to 9 and "_".
struct Field {
  std::string_view name;
  std::string value;
};
using Fields = std::vector<Field>;

void set_level(Level level);
// Where the journal listens; it lives as long as the program.
void set_journal_socket(const char* path);

void debug(std::string_view message, const Fields& fields = {});
void info(std::string_view message, const Fields& fields = {});
void warn(std::string_view message, const Fields& fields = {});
void error(std::string_view message, const Fields& fields = {});

}  // namespace vouch::log
