// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/audit_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

constexpr std::string_view kPermissions = "rwxa";

// Options of auditctl(8) that set the audit system itself: -b 8192, -e 2.
bool is_control(std::string_view option) {
  static constexpr std::array<std::string_view, 14> kControls{"-D",
                                                              "-b",
                                                              "-e",
                                                              "-f",
                                                              "-r",
                                                              "-i",
                                                              "-c",
                                                              "-W",
                                                              "-d",
                                                              "-t",
                                                              "-q",
                                                              "--backlog_wait_time",
                                                              "--loginuid-immutable",
                                                              "--reset-lost"};
  return std::find(kControls.begin(), kControls.end(), option) != kControls.end();
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : std::string(separator)) + part;
  return out;
}

std::string order_permissions(std::string_view text) {
  std::string out;
  for (const char c : kPermissions) {
    if (text.find(c) != std::string_view::npos) out += c;
  }
  return out;
}

// "exit,always" and "always,exit" are the same; "always,exit" is how auditctl prints it.
std::string order_filter(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::string(text);
  const std::string first(text.substr(0, comma));
  const std::string second(text.substr(comma + 1));
  const bool is_action = first == "always" || first == "never" || first == "possible";
  return is_action ? first + "," + second : second + "," + first;
}

void add_syscalls(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    if (!name.empty()) out.emplace_back(name);
  }
}

// A path without its trailing slashes; /var/run is a link to /run everywhere.
std::string tidy_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/var/run" || path.starts_with("/var/run/")) path.remove_prefix(4);
  return std::string(path);
}

// auditctl writes a name and prints the number.
std::string file_type(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kTypes{
      {{"file", "32768"},
       {"dir", "16384"},
       {"socket", "49152"},
       {"link", "40960"},
       {"character", "8192"},
       {"block", "24576"},
       {"fifo", "4096"}}};
  for (const auto& [known, number] : kTypes) {
    if (known == name) return std::string(number);
  }
  return std::string(name);
}

// Arguments of system calls are printed as 0x…, however they were written.
std::string hexadecimal(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const std::string_view digits = text.substr(is_hex ? 2 : 0);
  std::uint64_t value = 0;
  const auto result =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
  const bool is_number = result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  return is_number ? fmt::format("{:#x}", value) : std::string(text);
}

std::string tidy_field(std::string_view text) {
  const std::size_t at = text.find_first_of("=!<>&");
  if (at == std::string_view::npos) return std::string(text);
  const std::string_view name = text.substr(0, at);
  std::size_t end = at;
  while (end < text.size() && std::string_view("=!<>&").find(text[end]) != std::string_view::npos) {
    ++end;
  }
  const std::string_view value = text.substr(end);
  std::string tidy(value);
  if (name == "path" || name == "dir") tidy = tidy_path(value);
  if (name == "perm") tidy = order_permissions(value);
  if (name == "filetype") tidy = file_type(value);
  const bool is_argument = name.size() == 2 && name[0] == 'a' && name[1] >= '0' && name[1] <= '3';
  if (is_argument) tidy = hexadecimal(value);
  // "No user" has three spellings.
  if (value == "unset" || value == "4294967295") tidy = "-1";
  return std::string(text.substr(0, end)) + tidy;
}

std::string_view value_of(const std::vector<std::string>& fields, std::string_view name) {
  for (const std::string_view field : fields) {
    if (field.starts_with(name) && field.substr(name.size()).starts_with('=')) {
      return field.substr(name.size() + 1);
    }
  }
  return {};
}

// -w PATH is short for a rule on all system calls with a path, permissions and a key.
bool is_watch(std::string_view filter, const std::vector<std::string>& syscalls,
              const std::vector<std::string>& fields) {
  if (filter != "always,exit" || !syscalls.empty()) return false;
  if (value_of(fields, "path").empty() && value_of(fields, "dir").empty()) return false;
  return std::all_of(fields.begin(), fields.end(), [](std::string_view field) {
    return field.starts_with("path=") || field.starts_with("dir=") || field.starts_with("perm=") ||
           field.starts_with("key=");
  });
}

}  // namespace

AuditRule make_audit_rule(std::string filter, std::vector<std::string> syscalls,
                          std::vector<std::string> fields) {
  AuditRule out;
  for (std::string& field : fields) field = tidy_field(field);
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  std::sort(syscalls.begin(), syscalls.end());
  syscalls.erase(std::unique(syscalls.begin(), syscalls.end()), syscalls.end());
  if (std::find(syscalls.begin(), syscalls.end(), "all") != syscalls.end()) syscalls.clear();
  filter = order_filter(filter);
  out.key_name = value_of(fields, "key");
  out.permissions = value_of(fields, "perm");
  for (const std::string_view name : {"path", "dir"}) {
    if (const auto path = value_of(fields, name); !path.empty()) out.path = path;
  }
  if (is_watch(filter, syscalls, fields)) {
    out.kind = "watch";
    if (out.permissions.empty()) out.permissions = kPermissions;
    out.rule = "-w " + *out.path + " -p " + out.permissions;
    if (!out.key_name.empty()) out.rule += " -k " + out.key_name;
    return out;
  }
  out.kind = "syscall";
  out.syscalls = syscalls.empty() ? "all" : join(syscalls, ",");
  out.rule = "-a " + filter;
  const auto arch = value_of(fields, "arch");
  if (!arch.empty()) out.rule += " -F arch=" + std::string(arch);
  out.rule += " -S " + out.syscalls;
  for (const std::string& field : fields) {
    if (field.starts_with("arch=") || field.starts_with("key=")) continue;
    out.rule += (field.starts_with("-C ") ? " " : " -F ") + field;
  }
  if (!out.key_name.empty()) out.rule += " -F key=" + out.key_name;
  return out;
}

std::optional<AuditRule> parse_audit_rule(std::string_view line) {
  const auto words = facts::words_of(line);
  if (words.empty()) return std::nullopt;
  if (is_control(words[0])) {
    AuditRule rule;
    rule.kind = "control";
    for (const std::string_view word : words) {
      rule.rule += (rule.rule.empty() ? "" : " ") + std::string(word);
    }
    return rule;
  }
  std::string filter;
  std::vector<std::string> syscalls;
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (i + 1 == words.size()) return std::nullopt;
    const std::string_view option = words[i];
    const std::string value(words[i + 1]);
    if (option == "-w") {
      filter = "always,exit";
      fields.push_back("path=" + value);
    } else if (option == "-p") {
      fields.push_back("perm=" + value);
    } else if (option == "-k") {
      fields.push_back("key=" + value);
    } else if (option == "-a" || option == "-A") {
      filter = value;
    } else if (option == "-S") {
      add_syscalls(value, syscalls);
    } else if (option == "-F") {
      fields.push_back(value);
    } else if (option == "-C") {
      fields.push_back("-C " + value);  // Compares two fields.
    } else {
      return std::nullopt;
    }
  }
  if (filter.empty()) return std::nullopt;
  return make_audit_rule(std::move(filter), std::move(syscalls), std::move(fields));
}

AuditRules parse_audit_rules(std::string_view text) {
  AuditRules out;
  facts::each_line(text, [&](std::string_view line, int number) {
    auto rule = parse_audit_rule(line);
    if (rule) {
      out.rules.push_back(*std::move(rule));
    } else {
      out.faults.push_back(number);
    }
  });
  return out;
}

}  // namespace vouch::drift
