// SPDX-License-Identifier: Apache-2.0
// The tables of getting in: authorized_keys, last_logins.
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/access_review/authorized_keys.h"
#include "collectors/access_review/key_files.h"
#include "collectors/access_review/login_records.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kKeyFileBytesMax = 4 << 20;
constexpr std::size_t kReadBytes = 256 << 10;
// Years of logins of a busy host; beyond it the file is refused, not cut.
constexpr std::int64_t kWtmpBytesMax = std::int64_t{2} << 30;

std::multimap<std::string, std::string> group_names(const std::vector<GroupEntry>& groups,
                                                    const std::vector<Account>& accounts) {
  std::multimap<std::string, std::string> names;
  std::map<std::int64_t, std::string> by_id;
  for (const GroupEntry& group : groups) {
    by_id.try_emplace(group.gid, group.name);
    for (const std::string& member : group.members) names.emplace(member, group.name);
  }
  for (const Account& account : accounts) {
    const auto primary = by_id.find(account.entry.gid);
    if (primary != by_id.end()) names.emplace(account.entry.name, primary->second);
  }
  return names;
}

void add_keys(Context& context, Rows& rows, const PasswdEntry& user, const std::string& path) {
  const auto text = context.root().read(path, kKeyFileBytesMax);
  if (!text && text.error().code == Errc::not_found) return;
  if (!text) return rows.gap(path, text.error());
  const auto parsed = parse_authorized_keys(*text);
  for (const Fault& fault : parsed.faults) {
    rows.gap(fmt::format("{}:{}", path, fault.line), {Errc::invalid, fault.message});
  }
  for (const AuthorizedKey& key : parsed.entries) {
    rows.add({user.name, path, key.fingerprint, user.uid, key.algorithm, key.bits, key.options,
              key.comment, key.certificate_authority});
  }
}

Status collect_keys(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto groups = read_groups(context, rows);
  const auto names =
      groups ? group_names(*groups, *accounts) : std::multimap<std::string, std::string>();
  const KeyFiles files(context.root());
  for (const auto& [object, error] : files.gaps()) rows.gap(object, error);
  if (!files.command().empty()) {
    rows.gap(files.command(), {Errc::unsupported, "the keys that AuthorizedKeysCommand gives"});
  }
  std::set<std::pair<std::string, std::string>> seen;  // A name twice in passwd has one home each.
  for (const Account& account : *accounts) {
    std::vector<std::string> own;
    const auto [first, last] = names.equal_range(account.entry.name);
    for (auto it = first; it != last; ++it) own.push_back(it->second);
    for (const std::string& path : files.paths(account.entry, own)) {
      if (seen.emplace(account.entry.name, path).second) {
        add_keys(context, rows, account.entry, path);
      }
    }
  }
  return Ok{};
}

// Reads one wtmp into `reader`. Not there: false.
Result<bool> read_wtmp(Context& context, Rows& rows, const std::string& path, WtmpReader& reader) {
  const auto file = context.root().open_file(path);
  if (!file && file.error().code == Errc::not_found) return false;
  if (!file) return file.error();
  std::string buffer(kReadBytes, '\0');
  std::int64_t total = 0;
  while (true) {
    const ssize_t count = ::read(file->get(), buffer.data(), buffer.size());
    if (count < 0) return errno_error("read " + path, errno);
    if (count == 0) break;
    total += count;
    if (total > kWtmpBytesMax) return Error{Errc::too_large, path + " is over 2 GiB"};
    reader.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
  }
  if (reader.leftover() != 0) rows.gap(path, {Errc::invalid, "ends with a torn record"});
  if (reader.strange_records() != 0) {
    rows.gap(path, {Errc::invalid, "has records of no known type: damaged, or another machine's"});
  }
  return true;
}

class LoginHistory {
 public:
  Status read(Context& context, Rows& rows) {
    for (const std::string path : {"/var/log/wtmp", "/var/log/wtmp.1"}) {
      WtmpReader reader;
      const auto found = read_wtmp(context, rows, path, reader);
      if (!found) return found.error();
      if (*found) has_wtmp_ = true;
      for (const auto& [user, at] : reader.logins()) {
        std::int64_t& newest = wtmp_[user];
        newest = std::max(newest, at);
      }
    }
    auto lastlog = context.root().open_file("/var/log/lastlog");
    if (!lastlog && lastlog.error().code != Errc::not_found) return lastlog.error();
    if (lastlog) lastlog_ = *std::move(lastlog);
    if (has_wtmp_ || lastlog_) return Ok{};
    return Error{Errc::not_found, "this host keeps neither /var/log/wtmp nor /var/log/lastlog"};
  }

  void add(Rows& rows, const PasswdEntry& user) const {
    const auto from_wtmp = wtmp_.find(user.name);
    std::optional<std::int64_t> newest;
    std::string_view source = !has_wtmp_ ? "lastlog" : !lastlog_ ? "wtmp" : "lastlog wtmp";
    if (from_wtmp != wtmp_.end()) {
      newest = from_wtmp->second;
      source = "wtmp";
    }
    const auto at = last_log(user.uid);
    if (at && (!newest || *at > *newest)) {
      newest = at;
      source = "lastlog";
    }
    rows.add({user.name, user.uid, newest, source});
  }

 private:
  // lastlog is a sparse array by user id.
  std::optional<std::int64_t> last_log(std::int64_t uid) const {
    if (!lastlog_) return {};
    std::string record(lastlog_record_size(), '\0');
    const ssize_t count = ::pread(lastlog_.get(), record.data(), record.size(),
                                  uid * static_cast<off_t>(record.size()));
    if (count != static_cast<ssize_t>(record.size())) return {};
    return parse_lastlog_record(record);
  }

  std::map<std::string, std::int64_t> wtmp_;
  bool has_wtmp_ = false;
  Fd lastlog_;
};

Status collect_last_logins(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  LoginHistory history;
  if (auto status = history.read(context, rows); !status) return status.error();
  std::set<std::string> seen;
  for (const Account& account : *accounts) {
    if (seen.insert(account.entry.name).second) history.add(rows, account.entry);
  }
  return Ok{};
}

}  // namespace

sdk::Table authorized_keys_table() {
  return {.name = "authorized_keys",
          .title = "SSH keys that open an account",
          .columns = {sdk::text("username", "Account").key(), sdk::bytes("key_file", "File").key(),
                      sdk::text("fingerprint", "SHA256:… as ssh-keygen prints it").key(),
                      sdk::occurrence(), sdk::integer("uid", "User id"),
                      sdk::text("algorithm", "Kind of key"),
                      sdk::integer("bits", "Length").nullable("the algorithm has one size only"),
                      sdk::bytes("options", "Options before the key").redact(Redaction::command),
                      sdk::bytes("comment", "Comment behind the key").personal(),
                      sdk::boolean("certificate_authority", "It signs keys that are let in")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_keys};
}

sdk::Table last_logins_table() {
  return {.name = "last_logins",
          .title = "Newest login on record",
          .columns = {sdk::text("username", "Account").key(), sdk::integer("uid", "User id"),
                      sdk::time("last_login", "When").nullable("never, as far as the records go"),
                      sdk::text("source", "The record that says so; all that were read, if never")},
          .is_volatile = true,
          .collect = collect_last_logins};
}

}  // namespace vouch::access
