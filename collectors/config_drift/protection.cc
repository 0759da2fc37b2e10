// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/protection.h"

#include <algorithm>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kAttributeBytesMax = 64 << 10;
constexpr int kDepthMax = 8;  // Profiles hold child profiles.

std::string first_line(std::string_view text) {
  return std::string(facts::trim(text.substr(0, text.find('\n'))));
}

void read_profiles(const Root& root, const std::string& directory, int depth,
                   AppArmorProfiles& out) {
  if (depth > kDepthMax) return;
  const auto names = root.list(directory);
  if (!names) {
    if (names.error().code != Errc::not_found) out.gaps.emplace_back(directory, names.error());
    return;
  }
  for (const std::string& each : *names) {
    const std::string base = directory + "/" + each;
    const auto name = root.read(base + "/name", kAttributeBytesMax);
    const auto mode = root.read(base + "/mode", kAttributeBytesMax);
    if (!name || !mode) {
      const Error& error = name ? mode.error() : name.error();
      // It was unloaded meanwhile.
      if (error.code != Errc::not_found) out.gaps.emplace_back(base, error);
      continue;
    }
    out.profiles.push_back({first_line(*name), first_line(*mode)});
    read_profiles(root, base + "/profiles", depth + 1, out);
  }
}

}  // namespace

Result<AppArmorProfiles> read_apparmor_profiles(const Root& root) {
  const std::string policy = "/sys/kernel/security/apparmor/policy";
  const auto status = root.stat(policy);
  if (!status) return status.error();
  AppArmorProfiles out;
  read_profiles(root, policy + "/profiles", 0, out);
  return out;
}

GrubSecurity parse_grub(std::string_view text) {
  GrubSecurity found{"", "none", false};
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view word = facts::take_word(line);
    if (word == "set" && facts::trim(line).starts_with("superusers=")) {
      std::string value(facts::trim(line).substr(11));
      std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
      found.superusers = value;
    } else if (word == "password_pbkdf2" || word == "password") {
      facts::take_word(line);
      // RHEL writes ${GRUB2_PASSWORD}, which another file sets or does not.
      const std::string_view value = facts::take_word(line);
      if (!value.empty() && value[0] != '$')
        found.password = word == "password" ? "plain" : "pbkdf2";
    } else if (word == "menuentry" || word == "blscfg") {
      found.has_entries = true;
    }
  });
  return found;
}

bool has_grub2_password(std::string_view user_cfg) {
  bool is_set = false;
  facts::each_line(user_cfg, [&](std::string_view line, int) {
    is_set = is_set || line.starts_with("GRUB2_PASSWORD=grub.pbkdf2.");
  });
  return is_set;
}

}  // namespace vouch::drift
