// SPDX-License-Identifier: Apache-2.0
// A configuration file of systemd's own daemons with its drop-ins (systemd-system.conf(5)).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::facts {

struct SystemdSetting {
  std::string value;
  std::string source;  // The file that has the last word.
};

struct SystemdConfig {
  // By section and key, as written: {"Journal", "Storage"}. An empty value stands for the default.
  std::map<std::pair<std::string, std::string>, SystemdSetting> settings;
  std::vector<std::pair<std::string, Error>> gaps;
};

// `name` is that of the main file: "journald.conf". The first of /etc, /run, /usr/local/lib and
// /usr/lib that has it counts; drop-ins (NAME.d/*.conf) come after it in order of their names.
SystemdConfig read_systemd_config(const Root& root, std::string_view name);

// "3month 2days" in seconds (systemd.time(7)); a bare number counts seconds. Nothing if it is none;
// "infinity" is none.
std::optional<std::int64_t> parse_time_span(std::string_view text);
// "500M" in bytes, by powers of 1024.
std::optional<std::int64_t> parse_size(std::string_view text);

}  // namespace vouch::facts
