// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/key_files.h"

#include <fnmatch.h>

#include <algorithm>

#include "collectors/access_review/authorized_keys.h"

namespace vouch::access {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

// A pattern list of ssh_config(5): one "!pattern" that fits refuses, else one that fits accepts.
bool list_accepts(const std::vector<std::string>& patterns, std::string_view value) {
  bool accepted = false;
  for (const std::string& pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    const char* plain = pattern.c_str() + (negated ? 1 : 0);
    if (::fnmatch(plain, std::string(value).c_str(), FNM_NOESCAPE) != 0) continue;
    if (negated) return false;
    accepted = true;
  }
  return accepted;
}

}  // namespace

bool match_may_hold(std::string_view criteria, std::string_view user,
                    const std::vector<std::string>& groups) {
  const auto words = split(criteria, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    std::string name = words[i];
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "user" && !list_accepts(split(words[i + 1], ','), user)) return false;
    if (name == "group") {
      const auto patterns = split(words[i + 1], ',');
      if (std::none_of(groups.begin(), groups.end(),
                       [&](const auto& group) { return list_accepts(patterns, group); })) {
        return false;
      }
    }
  }
  return true;
}

KeyFiles::KeyFiles(const Root& root) {
  auto config = facts::read_sshd_config(root);
  if (!config) {
    if (config.error().code != Errc::not_found) {
      gaps_.emplace_back("/etc/ssh/sshd_config", std::move(config).error());
    }
    return;
  }
  gaps_ = std::move(config->gaps);
  for (auto& directive : config->directives) {
    if (directive.keyword == "authorizedkeyscommand" && directive.arguments[0] != "none") {
      command_ = directive.arguments[0];
    }
    if (directive.keyword == "authorizedkeysfile") directives_.push_back(std::move(directive));
  }
}

std::vector<std::string> KeyFiles::paths(const PasswdEntry& user,
                                         const std::vector<std::string>& groups) const {
  std::vector<std::string> patterns;
  bool is_settled = false;  // A value that holds on every connection ends the search.
  for (const auto& directive : directives_) {
    if (is_settled || !match_may_hold(directive.match, user.name, groups)) continue;
    patterns.insert(patterns.end(), directive.arguments.begin(), directive.arguments.end());
    is_settled = directive.match.empty();
  }
  if (!is_settled) {
    patterns.emplace_back(".ssh/authorized_keys");
    patterns.emplace_back(".ssh/authorized_keys2");
  }
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    const auto path = expand_key_path(pattern, user);
    if (path && std::find(paths.begin(), paths.end(), *path) == paths.end()) paths.push_back(*path);
  }
  return paths;
}

}  // namespace vouch::access
