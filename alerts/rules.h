// SPDX-License-Identifier: Apache-2.0
// The rule file, /etc/vouch/alerts.yaml (docs/alerts.md): who is told what, when, and by which
// channels. Read strictly; errors are "<file>:<line>:<column>: …". It holds no secret, only the
// names of the files that do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/condition.h"
#include "core/result.h"

namespace vouch::alerts {

inline constexpr std::size_t kRulesBytesMax = 256u << 10;
inline constexpr std::size_t kRulesMax = 100;
inline constexpr std::size_t kChannelsMax = 32;

enum class ChannelKind { webhook, slack, teams, smtp, alertmanager, journal, syslog };
std::string_view to_string(ChannelKind kind);

struct ChannelSpec {
  std::string name;
  ChannelKind kind = ChannelKind::webhook;
  std::string url;
  std::string url_file;
  std::string secret_file;    // HMAC key of a webhook.
  std::string password_file;  // smtp
  std::string token_file;     // alertmanager: a bearer token.
  std::string ca_file;        // PEM, the only trust anchors; empty: the system's.
  std::string user;
  std::string from;
  std::vector<std::string> to;
  std::string socket;  // journal, syslog.
  bool tls = true;     // False only for a mail server on the loopback.
  std::string subject;
  std::string text;
  std::int64_t timeout_s = 10;
};

struct Match {
  Severity severity = Severity::low;  // At least.
  std::vector<std::string> kinds;     // Empty: any.
  std::vector<std::string> controls;  // May end in "*"; empty: any.
  Labels labels;                      // Values may end in "*".
};

struct Rule {
  std::string name;
  Match match;
  std::vector<std::string> channels;
  bool goes_on = false;  // `continue`
  std::vector<std::string> group_by{"kind"};
  std::int64_t group_wait_s = 0;
  std::int64_t group_interval_s = 60;
  std::int64_t repeat_s = 12 * 3600;  // 0: never.
  bool resolved = true;
};

struct Rules {
  Labels labels;
  std::vector<ChannelSpec> channels;  // Sorted by name.
  std::vector<Rule> rules;
  std::int64_t limit_alerts = 30;
  std::int64_t limit_per_s = 3600;
  std::int64_t flap_changes = 6;
  std::int64_t flap_within_s = 3600;
  std::int64_t waiver_s = 14 * 86400;
  std::int64_t silence_intervals = 3;
  std::int64_t undelivered_s = 2 * 3600;
  std::int64_t spool_percent = 80;
  std::int64_t give_up_s = 3 * 86400;
  std::vector<std::string> mappings;

  [[nodiscard]] const ChannelSpec* find_channel(std::string_view name) const;
};

Result<Rules> parse_rules(std::string_view text, std::string_view file_name);

bool matches(const Match& match, const Condition& condition);

}  // namespace vouch::alerts
