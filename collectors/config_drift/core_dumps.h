// SPDX-License-Identifier: Apache-2.0
// What becomes of the memory of a program that crashes: systemd-coredump's settings and the limits
// of PAM and systemd. Where the kernel sends it is the sysctl kernel.core_pattern.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct CoreDumpSetting {
  std::string service;  // "systemd-coredump", "limits", "systemd".
  std::string name;     // Lower case; of limits "DOMAIN TYPE", such as "* hard".
  std::string value;
  std::optional<std::string> source;  // None: the built-in default.
};

// The lines of limits.conf(5) about `core`.
std::vector<CoreDumpSetting> parse_core_limits(std::string_view text, const std::string& source);

struct CoreDumpSettings {
  std::vector<CoreDumpSetting> settings;
  std::vector<std::pair<std::string, Error>> gaps;
};
CoreDumpSettings read_core_dump_settings(const Root& root);

}  // namespace vouch::drift
