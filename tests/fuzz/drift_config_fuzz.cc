// SPDX-License-Identifier: Apache-2.0
// What config_drift, special_files and kernel_rules read: jobs, certificates, audit rules,
// logging, firewalls, and the answers of the kernel.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/config_drift/audit_rules.h"
#include "collectors/config_drift/core_dumps.h"
#include "collectors/config_drift/crontab.h"
#include "collectors/config_drift/firewall_files.h"
#include "collectors/config_drift/kernel_command_line.h"
#include "collectors/config_drift/log_targets.h"
#include "collectors/config_drift/logrotate.h"
#include "collectors/config_drift/malware_signatures.h"
#include "collectors/config_drift/mount_usage.h"
#include "collectors/config_drift/posix_acl.h"
#include "collectors/config_drift/protection.h"
#include "collectors/config_drift/time_sources.h"
#include "collectors/config_drift/unified_kernel.h"
#include "collectors/config_drift/x509.h"
#include "collectors/facts/systemd_config.h"
#include "collectors/facts/unit_settings.h"
#include "collectors/kernel_rules/loaded_audit.h"
#include "collectors/kernel_rules/loaded_firewall.h"
#include "collectors/sdk/foreign_mounts.h"
#include "collectors/special_files/file_capabilities.h"

namespace {

namespace drift = vouch::drift;
namespace facts = vouch::facts;
namespace kernel_rules = vouch::kernel_rules;
namespace sdk = vouch::sdk;
namespace special_files = vouch::special_files;

void parse_jobs_and_logs(std::string_view text) {
  for (const auto& job : drift::parse_crontab(text, "f", true).jobs) {
    if (job.command.empty()) std::abort();
  }
  (void)drift::parse_anacrontab(text, "f");
  (void)drift::parse_at_job("a0000101b3f4a8", text, "f");
  (void)drift::parse_rsyslog(text);
  (void)drift::parse_syslog_ng(text);
  drift::RotationDefaults defaults;
  (void)drift::parse_logrotate(text, "f", defaults);
  (void)facts::parse_unit(text);
  (void)facts::parse_time_span(text);
  (void)facts::parse_size(text);
  (void)drift::parse_time_sources(text);
}

void parse_protection(std::string_view text) {
  for (const auto& rule : drift::parse_audit_rules(text).rules) {
    // What was spelled once is spelled the same again.
    const auto again = drift::parse_audit_rule(rule.rule);
    if (rule.kind == "watch" && again && again->rule != rule.rule) std::abort();
  }
  (void)drift::parse_nftables(text);
  (void)drift::parse_iptables_save(text, "ipv4");
  (void)drift::parse_firewalld_zone(text, "z");
  (void)drift::parse_grub(text);
  (void)drift::parse_certificate_file(text);
  (void)drift::parse_certificate(text);
  (void)drift::parse_signature_header(text);
  (void)drift::parse_meminfo(text);
}

void parse_kernel(std::string_view bytes) {
  (void)kernel_rules::decode_audit_rule(bytes);
  kernel_rules::ChainSet chains;
  chains.take_chain(bytes);
  chains.take_rule(bytes);
  (void)chains.chains();
  (void)special_files::file_capabilities_text(bytes);
  (void)sdk::foreign_mount_points(bytes, "/image");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  parse_jobs_and_logs(text);
  parse_protection(text);
  parse_kernel(text);
  (void)vouch::drift::parse_command_line(text);
  (void)vouch::drift::parse_grub_entries(text, {});
  (void)vouch::drift::parse_loader_entry(text, {});
  (void)vouch::drift::parse_core_limits(text, "f");
  (void)vouch::drift::posix_acl_text(text);
  (void)vouch::drift::unified_kernel_command_line([&](std::uint64_t offset, std::size_t length) {
    return vouch::Result<std::string>(
        std::string(offset < text.size() ? text.substr(offset, length) : ""));
  });
  return 0;
}
