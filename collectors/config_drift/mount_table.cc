// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/mount_table.h"

#include <algorithm>
#include <array>

#include "core/redact.h"

namespace vouch::drift {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return fields;
    line.remove_prefix(start);
    fields.push_back(line.substr(0, line.find_first_of(" \t\r")));
    line.remove_prefix(fields.back().size());
  }
}

std::string unescape(std::string_view text) {
  const auto octal = [&](std::size_t at) {
    return at < text.size() && text[at] >= '0' && text[at] <= '7' ? text[at] - '0' : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = octal(i + 1);
    const int middle = octal(i + 2);
    const int low = octal(i + 3);
    if (text[i] == '\\' && high >= 0 && high <= 3 && middle >= 0 && low >= 0) {
      out += static_cast<char>(high << 6 | middle << 3 | low);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kParts{"pass",  "pwd",  "secret",
                                                          "token", "cred", "key"};
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

std::string tidy_flags(std::string_view text) {
  std::vector<std::string> flags;
  while (!text.empty()) {
    std::string flag(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(text.size(), flag.size() + 1));
    const std::size_t equals = flag.find('=');
    if (equals != std::string::npos && is_secret(std::string_view(flag).substr(0, equals))) {
      flag = flag.substr(0, equals + 1) + std::string(kRedacted);
    }
    if (!flag.empty()) flags.push_back(std::move(flag));
  }
  std::sort(flags.begin(), flags.end());
  std::string out;
  for (const std::string& flag : flags) out += (out.empty() ? "" : ",") + flag;
  return out;
}

}  // namespace

MountTable parse_mounts(std::string_view text) {
  MountTable table;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto fields = fields_of(line);
    if (fields.empty() || fields[0].starts_with('#')) continue;
    if (fields.size() < 4) {
      table.faults.push_back(number);
      continue;
    }
    std::string device = unescape(fields[0]);
    if (device.find("://") != std::string::npos) device = redact(Redaction::url, device);
    table.mounts.push_back({std::move(device), unescape(fields[1]), std::string(fields[2]),
                            tidy_flags(unescape(fields[3]))});
  }
  return table;
}

bool is_private_namespace(std::string_view mountinfo) {
  bool is_private = false;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    const auto fields = fields_of(line);
    if (fields.size() < 7 || fields[4] != "/") continue;
    // The optional fields end at "-"; of several mounts on / the last one is on top.
    is_private = false;
    for (std::size_t i = 6; i < fields.size() && fields[i] != "-"; ++i) {
      is_private = is_private || fields[i].starts_with("master:");
    }
  }
  return is_private;
}

}  // namespace vouch::drift
