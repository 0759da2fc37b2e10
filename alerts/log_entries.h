// SPDX-License-Identifier: Apache-2.0
// An alert as entries of the host's own log, with structured fields: one for each condition, or one
// for a digest or a test.
#pragma once

#include <string>
#include <vector>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

// journalctl MESSAGE_ID=… finds all alerts.
inline constexpr std::string_view kJournalMessageId = "5c1d7f0e2b7c4a86a1f6b1f3b2c9d4e7";

// Datagrams of journald's native protocol.
std::vector<std::string> journal_entries(const Alert& alert, const ChannelSpec& spec);
// RFC 5424, facility daemon, at most 8 KiB each.
std::vector<std::string> syslog_entries(const Alert& alert, const ChannelSpec& spec);

}  // namespace vouch::alerts
