// SPDX-License-Identifier: Apache-2.0
// The tables of failed logins: failed_logins, login_lockouts.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/access_review/failed_logins.h"
#include "collectors/access_review/login_records.h"
#include "collectors/access_review/pam_settings.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::int64_t kDaysDefault = 7;
constexpr std::int64_t kDaysMax = 400;
constexpr std::size_t kChunkRecords = 1024;
// 16 MiB of records: about 43,000 attempts. A host under attack has more; their number is then a
// lower bound, and a gap says so.
constexpr std::int64_t kRecordsMax = 43'690;
constexpr std::size_t kTallyBytesMax = 1 << 20;
constexpr std::size_t kConfigBytesMax = 1 << 20;

using Names = std::set<std::string, std::less<>>;

Result<Names> account_names(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  Names names;
  for (const Account& account : *accounts) names.insert(account.entry.name);
  return names;
}

// Reads a btmp from its end until `since`, or until the budget of records is used up. False: there
// is no such file.
Result<bool> read_backwards(Context& context, Rows& rows, const std::string& path,
                            std::int64_t since, std::int64_t& records_left, FailedLogins& out) {
  const auto file = context.root().open_file(path);
  if (!file && file.error().code == Errc::not_found) return false;
  if (!file) return file.error();
  const off_t end = ::lseek(file->get(), 0, SEEK_END);
  if (end < 0) return errno_error("seek " + path, errno);
  const auto size = static_cast<off_t>(WtmpReader::record_size());
  if (end % size != 0) rows.gap(path, {Errc::invalid, "ends with a torn record"});
  std::string buffer;
  for (off_t left = end / size; left > 0 && out.oldest().value_or(since) >= since;) {
    if (records_left <= 0) {
      rows.gap(path, {Errc::too_large, "over 43,690 attempts: only the newest are counted"});
      break;
    }
    const off_t count = std::min<off_t>(left, static_cast<off_t>(kChunkRecords));
    left -= count;
    records_left -= count;
    buffer.resize(static_cast<std::size_t>(count * size));
    const ssize_t got = ::pread(file->get(), buffer.data(), buffer.size(), left * size);
    if (got < 0) return errno_error("read " + path, errno);
    out.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
  return true;
}

Status collect_failed_logins(Context& context, Rows& rows) {
  const auto names = account_names(context, rows);
  if (!names) return names.error();
  const std::int64_t days = std::clamp<std::int64_t>(
      context.integer_option("failed_login_days", kDaysDefault), 1, kDaysMax);
  const std::int64_t today = context.now() - context.now() % kSecondsPerDay;
  const std::int64_t since = today - (days - 1) * kSecondsPerDay;

  FailedLogins failed(*names, since);
  std::int64_t records_left = kRecordsMax;
  bool has_any = false;
  for (const std::string path : {"/var/log/btmp", "/var/log/btmp.1"}) {
    if (failed.oldest().value_or(since) < since) break;  // The rotated file is older still.
    const auto found = read_backwards(context, rows, path, since, records_left, failed);
    if (!found) return found.error();
    has_any = has_any || *found;
  }
  if (!has_any) return Error{Errc::not_found, "this host keeps no /var/log/btmp"};
  if (failed.strange_records() != 0) {
    rows.gap("/var/log/btmp", {Errc::invalid, "has records of no known type"});
  }
  for (const auto& [key, attempts] : failed.counts()) {
    const auto& [name, day] = key;
    rows.add({name, !name.empty(), day, attempts, "btmp"});
  }
  return Ok{};
}

// Where pam_faillock keeps its tallies: its default, that of distributions that keep them over a
// reboot, and what faillock.conf says.
std::set<std::string> tally_directories(Context& context) {
  std::set<std::string> directories = {"/run/faillock", "/var/lib/faillock"};
  const auto text = context.root().read("/etc/security/faillock.conf", kConfigBytesMax);
  if (!text) return directories;
  for (const auto& [name, value] : parse_pam_settings(*text)) {
    if (name == "dir" && value.starts_with('/')) directories.insert(value);
  }
  return directories;
}

void add_tallies(Context& context, Rows& rows, const std::string& directory,
                 const std::vector<std::string>& files, const Names& names) {
  Tally others;
  for (const std::string& name : files) {
    const std::string path = directory + "/" + name;
    const bool is_known = names.contains(name);
    const auto bytes = context.root().read(path, kTallyBytesMax);
    if (!bytes) {
      // The name of a file that is no account's may be what somebody typed.
      rows.gap(is_known ? path : directory,
               bytes.error().code == Errc::not_found
                   ? Error{Errc::unavailable, "a tally went away"}
                   : Error{bytes.error().code, "a tally is unreadable"});
      continue;
    }
    const Tally tally = parse_tally(*bytes);
    if (tally.is_torn) rows.gap(is_known ? path : directory, {Errc::invalid, "a tally is torn"});
    if (is_known) {
      rows.add({directory, name, true, tally.failures, tally.newest});
    } else {
      others.failures += tally.failures;
      if (tally.newest) others.newest = std::max(others.newest.value_or(0), *tally.newest);
    }
  }
  if (others.failures > 0) rows.add({directory, "", false, others.failures, others.newest});
}

Status collect_lockouts(Context& context, Rows& rows) {
  const auto names = account_names(context, rows);
  if (!names) return names.error();
  for (const std::string& directory : tally_directories(context)) {
    const auto files = context.root().list(directory);
    if (!files && files.error().code == Errc::not_found) continue;
    if (!files) {
      rows.gap(directory, files.error());
      continue;
    }
    add_tallies(context, rows, directory, *files, *names);
  }
  return Ok{};
}

}  // namespace

sdk::Table failed_logins_table() {
  return {
      .name = "failed_logins",
      .title = "Failed logins by account and day, never what was typed",
      .columns =
          {sdk::text("username", "An account; empty for all names that are none").key().personal(),
           sdk::boolean("known", "It is an account"),
           sdk::time("day", "Its first second, UTC").key(), sdk::integer("attempts", "Failed ones"),
           sdk::text("source", "btmp").key()},
      .is_volatile = true,
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect_failed_logins};
}

sdk::Table login_lockouts_table() {
  return {
      .name = "login_lockouts",
      .title = "Failures that pam_faillock holds against accounts",
      .columns =
          {sdk::bytes("source", "Directory of the tallies").key(),
           sdk::text("username", "An account; empty for all names that are none").key().personal(),
           sdk::boolean("known", "It is an account"),
           sdk::integer("failures", "That count towards the lock"),
           sdk::time("newest", "The last of them").nullable("none counts")},
      .is_volatile = true,
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect_lockouts};
}

}  // namespace vouch::access
