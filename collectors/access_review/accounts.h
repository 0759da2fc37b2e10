// SPDX-License-Identifier: Apache-2.0
// Pure parsers of the account files: passwd(5), group(5), shadow(5), login.defs(5).
//
// A line that does not parse is kept as a Fault with its number, never dropped in silence: an
// account that we cannot read is one that somebody may log in with. Messages hold no content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::access {

struct Fault {
  int line = 0;         // From 1.
  std::string message;  // What is wrong with it.

  bool operator==(const Fault&) const = default;
};

template <typename Entry>
struct Parsed {
  std::vector<Entry> entries;  // In file order, repetitions included.
  std::vector<Fault> faults;
};

// What a password field says; the field itself is never kept.
struct PasswordField {
  enum class Status { active, locked, empty, not_set };
  Status status = Status::not_set;
  std::string hash_alg;    // "sha512", "yescrypt", … "unknown"; empty: no hash. Kept if locked.
  bool in_shadow = false;  // passwd(5) only: the field is "x".
};

// "" is empty, "!!" not set (as passwd(1) of RPM systems writes it), "!…" and "*…" locked.
PasswordField classify_password(std::string_view field);
std::string_view status_name(PasswordField::Status status);
// What stands in passwd(5) itself: "shadow" where that file has it, else the status.
std::string_view passwd_field_name(const PasswordField& field);

struct PasswdEntry {
  std::string name;
  PasswordField password;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::string description;
  std::string directory;
  std::string shell;
};
Parsed<PasswdEntry> parse_passwd(std::string_view text);

struct GroupEntry {
  std::string name;
  std::int64_t gid = 0;
  std::vector<std::string> members;
};
Parsed<GroupEntry> parse_group(std::string_view text);

// Days since 1970 are turned into seconds. Absent, or -1 where that means absent: nullopt.
struct ShadowEntry {
  std::string name;
  PasswordField password;
  std::optional<std::int64_t> last_change;  // Absent too if 0: a change is forced.
  std::optional<std::int64_t> min_days;
  std::optional<std::int64_t> max_days;
  std::optional<std::int64_t> warning_days;
  std::optional<std::int64_t> inactive_days;
  std::optional<std::int64_t> expire;
};
Parsed<ShadowEntry> parse_shadow(std::string_view text);

// Name and value in file order; of a repeated name the last one holds. Quotes are taken off.
std::vector<std::pair<std::string, std::string>> parse_login_defs(std::string_view text);

// NAME=VALUE of /etc/default/useradd, in file order; of a repeated name the last one holds.
std::vector<std::pair<std::string, std::string>> parse_useradd_defaults(std::string_view text);

// True unless the shell is one of the known programs that let nobody in. An empty shell is /bin/sh.
bool is_login_shell(std::string_view shell);

}  // namespace vouch::access
