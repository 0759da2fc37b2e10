// SPDX-License-Identifier: Apache-2.0
// The tables of accounts: users, groups, user_groups, shadow, login_defs, user_homes.
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/access_review/authorized_keys.h"
#include "collectors/access_review/key_files.h"
#include "collectors/facts/file_mode.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kKeyFileBytesMax = 4 << 20;
constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::string_view kReadAll = "CAP_DAC_READ_SEARCH";

// Decides whether an account can log in; made once per run.
class LoginRules {
 public:
  LoginRules(Context& context, Rows& rows)
      : root_(context.root()), now_(context.now()), key_files_(context.root()) {
    auto shadow = read_shadow(context, rows);
    if (shadow) {
      for (ShadowEntry& entry : *shadow) shadow_.try_emplace(entry.name, entry);
    } else if (shadow.error().code != Errc::not_found) {
      is_shadow_hidden_ = true;
      rows.gap("/etc/shadow",
               {shadow.error().code, "not readable: can_login says only what the shell allows"});
    }
  }

  bool can_login(const Account& account) const {
    if (!is_login_shell(account.entry.shell)) return false;
    // What cannot be seen here is taken for usable: never safer than it is.
    if (is_shadow_hidden_ || !account.from_files) return true;
    const auto shadow = shadow_.find(account.entry.name);
    const bool has_shadow = shadow != shadow_.end();
    if (has_shadow && shadow->second.expire && *shadow->second.expire <= now_) return false;
    return has_password(account.entry, has_shadow ? &shadow->second : nullptr) ||
           has_key(account.entry);
  }

 private:
  static bool has_password(const PasswdEntry& entry, const ShadowEntry* shadow) {
    using Status = PasswordField::Status;
    if (entry.password.in_shadow && shadow == nullptr) return false;
    const auto& field = entry.password.in_shadow ? shadow->password : entry.password;
    return field.status == Status::active || field.status == Status::empty;
  }

  // A file that is there but cannot be read counts as a key: authorized_keys has the gap.
  bool has_key(const PasswdEntry& entry) const {
    for (const std::string& path : key_files_.paths(entry, nullptr)) {
      const auto text = root_.read(path, kKeyFileBytesMax);
      if (text ? !parse_authorized_keys(*text).entries.empty()
               : text.error().code != Errc::not_found) {
        return true;
      }
    }
    return false;
  }

  const Root& root_;
  WallSeconds now_;
  KeyFiles key_files_;
  std::map<std::string, ShadowEntry> shadow_;
  bool is_shadow_hidden_ = false;
};

// Which accounts belong to services: by their number, unless the site names them otherwise.
class ServiceRules {
 public:
  explicit ServiceRules(Context& context)
      : services_(context.texts_option("service_accounts", {})),
        people_(context.texts_option("human_accounts", {})),
        uid_min_(read_uid_min(context.root())) {}

  bool is_service(const PasswdEntry& entry) const {
    if (matches(people_, entry.name)) return false;
    if (matches(services_, entry.name) || entry.name == "nobody") return true;
    return entry.uid != 0 && entry.uid < uid_min_;
  }

 private:
  static bool matches(const std::vector<std::string>& patterns, const std::string& name) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
  }

  std::vector<std::string> services_;
  std::vector<std::string> people_;
  std::int64_t uid_min_;
};

Status collect_users(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const LoginRules rules(context, rows);
  const ServiceRules services(context);
  for (const Account& account : *accounts) {
    const PasswdEntry& entry = account.entry;
    rows.add({entry.name, entry.uid, entry.gid, entry.description, entry.directory, entry.shell,
              passwd_field_name(entry.password), is_login_shell(entry.shell),
              rules.can_login(account), services.is_service(entry),
              account.from_files ? "files" : "nss"});
  }
  return Ok{};
}

Status collect_groups(Context& context, Rows& rows) {
  const auto groups = read_groups(context, rows);
  if (!groups) return groups.error();
  for (const GroupEntry& group : *groups) rows.add({group.gid, group.name});
  return Ok{};
}

Status collect_user_groups(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto groups = read_memberships(context, rows);
  if (!groups) return groups.error();

  // Of groups with one id the first names it, as for getgrgid(3).
  std::map<std::int64_t, std::string> names;
  std::multimap<std::string, std::int64_t> memberships;
  for (const GroupEntry& group : *groups) {
    names.try_emplace(group.gid, group.name);
    for (const std::string& member : group.members) memberships.emplace(member, group.gid);
  }
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const Account& account : *accounts) {
    const PasswdEntry& user = account.entry;
    if (!seen.emplace(user.name, user.uid).second) continue;
    const auto primary = names.find(user.gid);
    rows.add({user.name, user.uid, user.gid, primary == names.end() ? "" : primary->second, true});
    std::set<std::int64_t> others;
    const auto [first, last] = memberships.equal_range(user.name);
    for (auto it = first; it != last; ++it) {
      if (it->second != user.gid) others.insert(it->second);
    }
    for (const std::int64_t gid : others) rows.add({user.name, user.uid, gid, names[gid], false});
  }
  return Ok{};
}

Status collect_shadow(Context& context, Rows& rows) {
  const auto entries = read_shadow(context, rows);
  if (!entries) return entries.error();
  for (const ShadowEntry& entry : *entries) {
    const std::string& algorithm = entry.password.hash_alg;
    rows.add({entry.name, status_name(entry.password.status),
              algorithm.empty() ? sdk::Cell(nullptr) : sdk::Cell(algorithm), entry.last_change,
              entry.min_days, entry.max_days, entry.warning_days, entry.inactive_days,
              entry.expire});
  }
  return Ok{};
}

Status collect_login_defs(Context& context, Rows& rows) {
  const auto text = context.root().read("/etc/login.defs", kConfigBytesMax);
  if (!text) return text.error();
  for (const auto& [name, value] : parse_login_defs(*text)) rows.add({name, value});
  return Ok{};
}

Status collect_user_homes(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  for (const Account& account : *accounts) {
    const std::string& path = account.entry.directory;
    const auto status = context.root().stat(path.empty() ? "/" : path);
    if (status && S_ISDIR(status->st_mode)) {
      rows.add({account.entry.name, path, true, facts::mode_text(status->st_mode), status->st_uid,
                status->st_gid});
    } else if (status || status.error().code == Errc::not_found) {
      rows.add({account.entry.name, path, false, nullptr, nullptr, nullptr});
    } else {
      rows.gap(path, status.error());
    }
  }
  return Ok{};
}

}  // namespace

sdk::Table users_table() {
  return {.name = "users",
          .title = "Accounts",
          .columns = {sdk::text("username", "Name").key(), sdk::integer("uid", "User id").key(),
                      sdk::occurrence(), sdk::integer("gid", "Primary group id"),
                      sdk::bytes("description", "Comment field").personal(),
                      sdk::bytes("directory", "Home"), sdk::bytes("shell", "Shell"),
                      sdk::text("password_field", "In passwd itself: shadow, or a status"),
                      sdk::boolean("login_shell", "The shell lets a person in"),
                      sdk::boolean("can_login", "Login shell, usable password or key, not expired"),
                      sdk::boolean("service",
                                   "User id below UID_MIN and not root, nobody, or named so"),
                      sdk::text("source", "files, or nss for the name service")},
          .capabilities = {kReadAll},
          .collect = collect_users};
}

sdk::Table groups_table() {
  return {.name = "groups",
          .title = "Groups",
          .columns = {sdk::integer("gid", "Group id").key(), sdk::text("groupname", "Name").key(),
                      sdk::occurrence()},
          .collect = collect_groups};
}

sdk::Table user_groups_table() {
  return {.name = "user_groups",
          .title = "Members of groups",
          .columns = {sdk::text("username", "Account").key(), sdk::integer("uid", "User id").key(),
                      sdk::integer("gid", "Group id").key(),
                      sdk::text("groupname", "Group; empty if no group has the id"),
                      sdk::boolean("is_primary", "By the account's own entry")},
          .collect = collect_user_groups};
}

sdk::Table shadow_table() {
  return {.name = "shadow",
          .title = "State and age of passwords, never the hash",
          .columns =
              {sdk::text("username", "Account").key(), sdk::occurrence(),
               sdk::text("password_status", "active, locked, empty, not_set"),
               sdk::text("hash_alg", "Kind of hash").nullable("no hash"),
               sdk::time("last_change", "Password set")
                   .nullable("unset, or a change is forced at the next login"),
               sdk::integer("min", "Days before the next change").nullable("no limit"),
               sdk::integer("max", "Days until it must change").nullable("no limit"),
               sdk::integer("warning", "Days of warning").nullable("no warning"),
               sdk::integer("inactive", "Days from expiry to lock").nullable("never locked for it"),
               sdk::time("expire", "Account ends").nullable("never")},
          .capabilities = {kReadAll},
          .collect = collect_shadow};
}

sdk::Table login_defs_table() {
  return {.name = "login_defs",
          .title = "Settings of login.defs",
          .columns = {sdk::text("name", "Setting").key(), sdk::text("value", "Value")},
          .collect = collect_login_defs};
}

sdk::Table user_homes_table() {
  return {.name = "user_homes",
          .title = "Home directories",
          .columns = {sdk::text("username", "Account").key(), sdk::bytes("path", "Home").key(),
                      sdk::boolean("exists", "It is there and a directory"),
                      sdk::text("mode", "Four octal digits").nullable("no home"),
                      sdk::integer("uid", "Owner").nullable("no home"),
                      sdk::integer("gid", "Group").nullable("no home")},
          .collect = collect_user_homes};
}

}  // namespace vouch::access
