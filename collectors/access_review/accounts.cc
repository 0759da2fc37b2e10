// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/accounts.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "collectors/facts/lines.h"

namespace vouch::access {
namespace {

constexpr std::int64_t kIdMax = 0xFFFFFFFF;
constexpr std::int64_t kDaySeconds = 86400;
constexpr std::int64_t kDaysMax = 2932896;  // 9999-12-31.

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

// Decimal digits only: strtoul's " 0", "+0" and "0x0" are refused, and so become visible.
std::optional<std::int64_t> parse_digits(std::string_view text, std::int64_t max) {
  if (text.empty() ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return {};
  }
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || value > max) return {};
  return value;
}

// Calls `take` with each line that is neither empty nor a comment, and collects what it refuses.
// `take` returns what is wrong with the line, or an empty string.
template <typename Entry, typename Take>
Parsed<Entry> parse_lines(std::string_view text, Take take) {
  Parsed<Entry> parsed;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    // glibc skips leading white space, empty lines and comments.
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos || line[start] == '#') continue;
    line.remove_prefix(start);
    std::string problem;
    if (line.find('\0') != std::string_view::npos) {
      problem = "holds a NUL byte";
    } else if (line[0] == '+' || line[0] == '-') {
      problem = "is a NIS entry: what it includes is not examined";
    } else {
      problem = take(line, parsed.entries);
    }
    if (!problem.empty()) parsed.faults.push_back({number, std::move(problem)});
  }
  return parsed;
}

// The fields of a shadow line behind the password: a day count, or absent. -1 is absent too.
bool read_days(std::string_view field, std::optional<std::int64_t>& out) {
  if (field.empty() || field == "-1") return true;
  out = parse_digits(field, kDaysMax);
  return out.has_value();
}

bool is_des_hash(std::string_view field) {
  const auto is_salt = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/';
  };
  if (field.size() == 20 && field[0] == '_')
    field.remove_prefix(1);  // BSDi extended DES.
  else if (field.size() != 13)
    return false;
  return std::all_of(field.begin(), field.end(), is_salt);
}

// crypt(5); empty if the field is no hash at all.
std::string_view hash_algorithm(std::string_view field) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kPrefixes{{
      {"$y$", "yescrypt"},
      {"$gy$", "gost-yescrypt"},
      {"$7$", "scrypt"},
      {"$2b$", "bcrypt"},
      {"$2a$", "bcrypt"},
      {"$2y$", "bcrypt"},
      {"$2x$", "bcrypt"},
      {"$6$", "sha512"},
      {"$5$", "sha256"},
      {"$md5", "sunmd5"},
      {"$1$", "md5"},
      {"$sha1$", "unknown"},
      {"$3$", "unknown"},
  }};
  for (const auto& [prefix, name] : kPrefixes) {
    if (field.starts_with(prefix)) return name;
  }
  if (is_des_hash(field)) return "des";
  return field.starts_with('$') || field.starts_with('_') ? "unknown" : "";
}

}  // namespace

PasswordField classify_password(std::string_view field) {
  using Status = PasswordField::Status;
  if (field.empty()) return {Status::empty, "", false};
  if (field == "!!") return {Status::not_set, "", false};
  const std::size_t start = field.find_first_not_of("!*");
  if (start != 0) {
    const bool has_more = start != std::string_view::npos;
    return {Status::locked, std::string(has_more ? hash_algorithm(field.substr(start)) : ""),
            false};
  }
  const std::string_view algorithm = hash_algorithm(field);
  // No password can match what is no hash ("x", "NP", "LK").
  return {algorithm.empty() ? Status::locked : Status::active, std::string(algorithm), false};
}

std::string_view passwd_field_name(const PasswordField& field) {
  return field.in_shadow ? "shadow" : status_name(field.status);
}

std::string_view status_name(PasswordField::Status status) {
  switch (status) {
    case PasswordField::Status::active:
      return "active";
    case PasswordField::Status::locked:
      return "locked";
    case PasswordField::Status::empty:
      return "empty";
    case PasswordField::Status::not_set:
      return "not_set";
  }
  return "not_set";
}

Parsed<PasswdEntry> parse_passwd(std::string_view text) {
  return parse_lines<PasswdEntry>(text, [](std::string_view line, auto& entries) -> std::string {
    const auto fields = split(line, ':');
    if (fields.size() != 7) return "does not have 7 fields";
    const auto uid = parse_digits(fields[2], kIdMax);
    const auto gid = parse_digits(fields[3], kIdMax);
    if (fields[0].empty()) return "has no user name";
    if (!uid) return "has no decimal user id";
    if (!gid) return "has no decimal group id";
    PasswordField password = classify_password(fields[1]);
    password.in_shadow = fields[1] == "x";
    entries.push_back({std::string(fields[0]), std::move(password), *uid, *gid,
                       std::string(fields[4]), std::string(fields[5]), std::string(fields[6])});
    return "";
  });
}

Parsed<GroupEntry> parse_group(std::string_view text) {
  return parse_lines<GroupEntry>(text, [](std::string_view line, auto& entries) -> std::string {
    const auto fields = split(line, ':');
    if (fields.size() != 4) return "does not have 4 fields";
    const auto gid = parse_digits(fields[2], kIdMax);
    if (fields[0].empty()) return "has no group name";
    if (!gid) return "has no decimal group id";
    GroupEntry entry{std::string(fields[0]), *gid, {}};
    for (std::string_view member : split(fields[3], ',')) {
      const std::size_t start = member.find_first_not_of(" \t");
      if (start == std::string_view::npos) continue;
      member.remove_prefix(start);
      entry.members.emplace_back(member.substr(0, member.find_last_not_of(" \t") + 1));
    }
    entries.push_back(std::move(entry));
    return "";
  });
}

Parsed<ShadowEntry> parse_shadow(std::string_view text) {
  return parse_lines<ShadowEntry>(text, [](std::string_view line, auto& entries) -> std::string {
    const auto fields = split(line, ':');
    if (fields.size() != 9) return "does not have 9 fields";
    if (fields[0].empty()) return "has no user name";
    ShadowEntry entry;
    entry.name = std::string(fields[0]);
    entry.password = classify_password(fields[1]);
    if (!read_days(fields[2], entry.last_change)) return "has no valid day of the last change";
    if (!read_days(fields[3], entry.min_days) || !read_days(fields[4], entry.max_days) ||
        !read_days(fields[5], entry.warning_days) || !read_days(fields[6], entry.inactive_days)) {
      return "has an age that is no number of days";
    }
    if (!read_days(fields[7], entry.expire)) return "has no valid day of expiry";
    if (entry.last_change == 0) entry.last_change.reset();
    if (entry.last_change) *entry.last_change *= kDaySeconds;
    if (entry.expire) *entry.expire *= kDaySeconds;
    entries.push_back(std::move(entry));
    return "";
  });
}

std::vector<std::pair<std::string, std::string>> parse_login_defs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> values;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos || line[start] == '#') continue;
    line.remove_prefix(start);
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    const std::string name(line.substr(0, line.find_first_of(" \t")));
    line.remove_prefix(name.size());
    const std::size_t from = line.find_first_not_of(" \t\"");
    std::string value;
    if (from != std::string_view::npos) {
      line.remove_prefix(from);
      value = std::string(line.substr(0, line.find_last_not_of('"') + 1));
    }
    const auto known = std::find_if(values.begin(), values.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (known == values.end()) {
      values.emplace_back(name, std::move(value));
    } else {
      known->second = std::move(value);
    }
  }
  return values;
}

std::vector<std::pair<std::string, std::string>> parse_useradd_defaults(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> settings;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    const std::string name(facts::trim(line.substr(0, equals)));
    std::erase_if(settings, [&](const auto& setting) { return setting.first == name; });
    settings.emplace_back(name, facts::trim(line.substr(equals + 1)));
  });
  return settings;
}

bool is_login_shell(std::string_view shell) {
  // Whole paths, so that a shell called /tmp/nologin is not taken for one of these.
  static constexpr std::array<std::string_view, 15> kNoLogin{
      "/usr/sbin/nologin",  "/sbin/nologin",  "/usr/bin/nologin", "/bin/nologin",
      "/usr/bin/false",     "/bin/false",     "/usr/bin/true",    "/bin/true",
      "/usr/bin/sync",      "/bin/sync",      "/usr/sbin/halt",   "/sbin/halt",
      "/usr/sbin/shutdown", "/sbin/shutdown", "/dev/null"};
  return std::find(kNoLogin.begin(), kNoLogin.end(), shell) == kNoLogin.end();
}

}  // namespace vouch::access
