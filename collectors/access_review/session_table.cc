// SPDX-License-Identifier: Apache-2.0
// The table logged_in_users: sessions that are open now, by logind's files or, without it, utmp.
#include <fmt/format.h>
#include <utmpx.h>

#include <charconv>
#include <map>
#include <string>
#include <string_view>

#include "collectors/access_review/access_review.h"
#include "collectors/facts/lines.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr const char* kSessions = "/run/systemd/sessions";
constexpr const char* kUtmp = "/run/utmp";
constexpr std::size_t kSessionsMax = 20'000;
constexpr std::size_t kSessionBytesMax = 64 << 10;
constexpr std::size_t kUtmpBytesMax = 16 << 20;
constexpr std::int64_t kMicroseconds = 1'000'000;

std::int64_t number_of(const std::string& text) {
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void add_session(Rows& rows, const std::string& id, std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    values[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
  });
  // The service manager of a user, and what cron starts, are no people.
  const std::string& kind = values["CLASS"];
  if (kind.starts_with("manager") || kind.starts_with("background")) return;
  const std::int64_t uid = number_of(values["UID"]);
  if (values["USER"].empty() || uid < 0) {
    rows.gap(fmt::format("{}/{}", kSessions, id), {Errc::invalid, "names no user"});
    return;
  }
  const std::int64_t since = number_of(values["REALTIME"]);
  rows.add({id, values["USER"], since > 0 ? sdk::Cell(since / kMicroseconds) : sdk::Cell(nullptr),
            values["REMOTE"] == "1", values["SERVICE"], "logind"});
}

Status add_from_logind(Context& context, Rows& rows, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (id.ends_with(".ref") || id.starts_with('.')) continue;  // A pipe beside each session.
    const auto text = context.root().read(fmt::format("{}/{}", kSessions, id), kSessionBytesMax);
    if (text) {
      add_session(rows, id, *text);
    } else if (text.error().code != Errc::not_found) {  // It may have ended meanwhile.
      rows.gap(fmt::format("{}/{}", kSessions, id), text.error());
    }
  }
  return Ok{};
}

Status add_from_utmp(Context& context, Rows& rows) {
  const auto bytes = context.root().read(kUtmp, kUtmpBytesMax);
  if (!bytes && bytes.error().code == Errc::not_found) {
    return Error{Errc::not_found, "this host has neither logind's sessions nor utmp"};
  }
  if (!bytes) return bytes.error();
  for (std::size_t at = 0; at + sizeof(struct utmpx) <= bytes->size(); at += sizeof(struct utmpx)) {
    struct utmpx entry;
    bytes->copy(reinterpret_cast<char*>(&entry), sizeof entry, at);
    if (entry.ut_type != USER_PROCESS) continue;
    const std::string line(entry.ut_line, ::strnlen(entry.ut_line, sizeof entry.ut_line));
    const std::string user(entry.ut_user, ::strnlen(entry.ut_user, sizeof entry.ut_user));
    const auto since = static_cast<std::int64_t>(static_cast<std::uint32_t>(entry.ut_tv.tv_sec));
    rows.add({line, user, since, entry.ut_host[0] != '\0', "", "utmp"});
  }
  return Ok{};
}

Status collect_sessions(Context& context, Rows& rows) {
  if (!context.is_host() && !context.root().exists(kSessions) && !context.root().exists(kUtmp)) {
    return Error{Errc::unsupported, "an image has no sessions"};
  }
  const auto ids = context.root().list(kSessions, kSessionsMax);
  if (ids) return add_from_logind(context, rows, *ids);
  if (ids.error().code != Errc::not_found) return ids.error();
  return add_from_utmp(context, rows);
}

}  // namespace

sdk::Table logged_in_users_table() {
  return {.name = "logged_in_users",
          .title = "Sessions that are open now",
          .columns = {sdk::text("session", "logind's id; the terminal of utmp").key(),
                      sdk::text("username", "Account").key().personal(), sdk::occurrence(),
                      sdk::time("since", "Its begin").nullable("logind does not say"),
                      sdk::boolean("remote", "From another host"),
                      sdk::text("service", "sshd, login …; empty with utmp"),
                      sdk::text("source", "logind, utmp")},
          .is_volatile = true,
          .collect = collect_sessions};
}

}  // namespace vouch::access
