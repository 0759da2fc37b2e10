// SPDX-License-Identifier: Apache-2.0
// Audit rules and the state of the audit system as the kernel tells them over netlink. Both need
// CAP_AUDIT_CONTROL, which could change them too: hence a collector of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/config_drift/audit_rules.h"
#include "core/result.h"

namespace vouch::kernel_rules {

// One `struct audit_rule_data`, in the spelling of rules on disk. Errc::invalid: it is cut short.
Result<drift::AuditRule> decode_audit_rule(std::string_view bytes);

Result<std::vector<drift::AuditRule>> query_audit_rules();

struct AuditStatus {
  std::uint32_t enabled = 0;  // 2: locked until the next boot.
  std::uint32_t failure = 0;
  std::uint32_t rate_limit = 0;
  std::uint32_t backlog_limit = 0;
  bool has_daemon = false;
};
Result<AuditStatus> query_audit_status();

}  // namespace vouch::kernel_rules
