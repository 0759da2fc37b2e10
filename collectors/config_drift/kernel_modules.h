// SPDX-License-Identifier: Apache-2.0
// Kernel modules: those that are loaded and those that the configuration names.
#pragma once

#include <map>
#include <optional>
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

// What modprobe.d(5) says of a module.
struct ModulePolicy {
  bool blacklisted = false;  // Not loaded for hardware that asks for it; still loaded by name.
  bool disabled = false;     // `install` runs /bin/true or /bin/false in its place.
};
// By name, of modules that a file blacklists or replaces by an `install` command.
std::map<std::string, ModulePolicy> parse_modprobe(std::string_view text);

// Names in modules.dep or modules.builtin: "kernel/drivers/usb/storage/usb-storage.ko.xz: …".
std::set<std::string> parse_modules_dep(std::string_view text);

// Both, from all their directories. "-" in a name is "_", as the kernel has it. Unreadable files
// become gaps.
std::map<std::string, ModulePolicy> configured_modules(const Root& root, sdk::Rows& rows);

// All modules that some installed kernel can load or has inside. Nothing if no kernel is installed.
std::optional<std::set<std::string>> available_modules(const Root& root, sdk::Rows& rows);

}  // namespace vouch::drift
