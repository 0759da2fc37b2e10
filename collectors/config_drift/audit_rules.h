// SPDX-License-Identifier: Apache-2.0
// Rules of the kernel's audit system as audit.rules(7) writes them, in one spelling each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::drift {

struct AuditRule {
  std::string kind;                 // "watch", "syscall", "control"
  std::string rule;                 // The whole, normalised: what is equal is written the same.
  std::optional<std::string> path;  // Watched file or directory.
  std::string permissions;          // Of a watch: out of "rwxa".
  std::string syscalls;             // Sorted, by commas; "all".
  std::string key_name;
};

// One line that is neither empty nor a comment. Nothing if it is no rule: an unknown option, an
// option without its value.
std::optional<AuditRule> parse_audit_rule(std::string_view line);

struct AuditRules {
  std::vector<AuditRule> rules;
  std::vector<int> faults;  // Numbers of lines that are no rules.
};
AuditRules parse_audit_rules(std::string_view text);

// The spelling of a rule from its parts: for rules that come from the kernel. `fields` are
// "arch=b64", "auid>=1000"; `filter` is "always,exit".
AuditRule make_audit_rule(std::string filter, std::vector<std::string> syscalls,
                          std::vector<std::string> fields);

}  // namespace vouch::drift
