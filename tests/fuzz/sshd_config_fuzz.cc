// SPDX-License-Identifier: Apache-2.0
// sshd_config and the other configuration files of config_drift.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/config_drift/kernel_modules.h"
#include "collectors/config_drift/mount_table.h"
#include "collectors/config_drift/sockets.h"
#include "collectors/config_drift/stat_cache.h"
#include "collectors/config_drift/sysctl_config.h"
#include "collectors/config_drift/unit_files.h"
#include "collectors/facts/sshd_admission.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/facts/sshd_match.h"
#include "collectors/facts/sshd_patterns.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view value = text.substr(0, text.find('\n'));
  const std::string_view list = text.substr(std::min(text.size(), value.size() + 1));
  (void)vouch::facts::ssh_list_answer(list, value);
  (void)vouch::facts::ssh_address_answer(list, value);
  vouch::facts::SshdConfig config;
  auto criteria = vouch::facts::parse_sshd_criteria({std::string(value), std::string(list)});
  if (criteria) config.matches.push_back({*std::move(criteria), "f", 1});
  const auto origins = vouch::facts::sshd_origins(config);
  if (origins && origins->empty()) std::abort();
  (void)vouch::facts::host_part_fits(list, {std::string(value), "h", "", 22, ""});
  for (const auto& directive : vouch::facts::parse_sshd_config(text, "f").directives) {
    if (directive.keyword.empty() || directive.arguments.empty()) std::abort();
  }
  (void)vouch::drift::parse_mounts(text);
  (void)vouch::drift::is_private_namespace(text);
  (void)vouch::drift::parse_sysctl(text);
  (void)vouch::drift::parse_proc_net(text, "tcp", false);
  (void)vouch::drift::parse_proc_net(text, "udp", true);
  (void)vouch::drift::install_kind(text);
  (void)vouch::drift::parse_list_units(text);
  (void)vouch::drift::parse_modprobe(text);
  (void)vouch::drift::parse_proc_modules(text);
  (void)vouch::drift::StatCache::parse(text);
  return 0;
}
