// SPDX-License-Identifier: Apache-2.0
// Logins as systemd-logind notes them in the journal: for hosts that keep no wtmp, lastlog, wtmpdb
// or lastlog2, as Debian 13 is installed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/sdk/context.h"
#include "core/result.h"

namespace vouch::access {

struct JournalLogins {
  std::map<std::string, std::int64_t> newest;  // Seconds since 1970, by user name.
  bool is_cut = false;                         // Older ones were left out.
};

// Sessions of the last 400 days, at most the newest 20,000, by journalctl(1): the running host
// only. An entry counts if logind itself wrote it, which no other can claim.
Result<JournalLogins> read_journal_logins(const sdk::Context& context);

struct JournalLogin {
  std::string user;
  std::int64_t at = 0;
};
// One line of `journalctl --output=json`. nullopt: a session that is no login of a person (the
// service manager of a user, a job). Errc::invalid: no line of a session.
Result<std::optional<JournalLogin>> parse_session_line(std::string_view line);

}  // namespace vouch::access
