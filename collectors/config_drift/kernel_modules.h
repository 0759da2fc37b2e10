// SPDX-License-Identifier: Apache-2.0
// Kernel modules: those that are loaded and those that the configuration names.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "collectors/sdk/context.h"
#include "core/root.h"

namespace vouch::drift {

// The names in /proc/modules.
std::set<std::string> parse_proc_modules(std::string_view text);

// Names in a file of modules-load.d(5), or /etc/modules.
std::set<std::string> parse_modules_load(std::string_view text);
// Names that a file of modprobe.d(5) blacklists or replaces by an `install` command.
std::set<std::string> parse_modprobe(std::string_view text);

// Both, from all their directories. "-" in a name is "_", as the kernel has it. Unreadable files
// become gaps.
std::set<std::string> configured_modules(const Root& root, sdk::Rows& rows);

}  // namespace vouch::drift
