// SPDX-License-Identifier: Apache-2.0
// Kernel settings as configured: sysctl.d(5), sysctl.conf(5).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct SysctlSetting {
  std::string name;  // Dotted; a dot within a component is "/", as sysctl(8) prints it.
  std::string value;
  int line = 0;
  bool is_excluded = false;  // "-name" without value: patterns do not reach it.
};

// Lines that are no setting are in `faults` by number.
struct SysctlFile {
  std::vector<SysctlSetting> settings;
  std::vector<int> faults;
};
SysctlFile parse_sysctl(std::string_view text);

struct ConfiguredSysctl {
  std::string value;
  std::string source;
};

struct SysctlConfig {
  std::map<std::string, ConfiguredSysctl> settings;  // The last one of each name.
  std::vector<std::pair<std::string, Error>> gaps;
};

// The files in the order in which systemd-sysctl(8) applies them, then /etc/sysctl.conf, which
// `sysctl --system` reads last. Patterns are expanded by the running kernel's names if the host
// itself is examined, else they stay as they are written.
SysctlConfig read_sysctl_config(const Root& root);

// Names of the settings that harden a host; they are reported whether configured or not.
const std::vector<std::string>& watched_sysctls();

// "net.ipv4.conf.eth0/1.rp_filter" ↔ "/proc/sys/net/ipv4/conf/eth0.1/rp_filter".
std::string sysctl_path(std::string_view name);

}  // namespace vouch::drift
