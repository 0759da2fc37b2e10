// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/key_files.h"

#include <algorithm>

#include "collectors/access_review/authorized_keys.h"
#include "collectors/facts/sshd_match.h"

namespace vouch::access {
KeyFiles::KeyFiles(const Root& root) {
  auto config = facts::read_sshd_config(root);
  if (!config) {
    if (config.error().code != Errc::not_found) {
      gaps_.emplace_back("/etc/ssh/sshd_config", std::move(config).error());
    }
    return;
  }
  gaps_ = std::move(config->gaps);
  matches_ = std::move(config->matches);
  for (auto& directive : config->directives) {
    if (directive.keyword == "authorizedkeyscommand" && directive.arguments[0] != "none") {
      command_ = directive.arguments[0];
    }
    if (directive.keyword == "authorizedkeysfile") directives_.push_back(std::move(directive));
  }
}

KeyFiles::Fit KeyFiles::fit(const facts::SshdDirective& directive, const PasswdEntry& user,
                            const std::vector<std::string>* groups) const {
  Fit fit = Fit::surely;
  for (const std::size_t block : directive.blocks) {
    facts::SshdMatch known = matches_[block];
    const auto removed = std::erase_if(known.criteria, [&](const facts::SshdCriterion& one) {
      const bool is_of_account = one.name == "user" || one.name == "all" ||
                                 one.name == "invalid-user" ||
                                 (one.name == "group" && groups != nullptr);
      return !is_of_account;
    });
    const facts::SshdUser who{user.name, groups != nullptr ? *groups : std::vector<std::string>()};
    const auto fits = facts::sshd_match_fits_user(known, who);
    if (fits && !*fits) return Fit::no;
    if (removed > 0) fit = Fit::maybe;
  }
  return fit;
}

std::vector<std::string> KeyFiles::paths(const PasswdEntry& user,
                                         const std::vector<std::string>* groups) const {
  std::vector<std::string> patterns;
  bool is_settled = false;  // A value that holds on every connection ends the search.
  // Whatever their order in the file, the blocks come before what stands outside.
  for (const bool is_outside : {false, true}) {
    for (const auto& directive : directives_) {
      if (is_settled || directive.blocks.empty() != is_outside) continue;
      const Fit fits = fit(directive, user, groups);
      if (fits == Fit::no) continue;
      patterns.insert(patterns.end(), directive.arguments.begin(), directive.arguments.end());
      is_settled = fits == Fit::surely;
    }
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
