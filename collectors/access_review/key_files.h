// SPDX-License-Identifier: Apache-2.0
// Which files hold the SSH keys that open an account, by the host's sshd configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"
#include "collectors/facts/sshd_config.h"
#include "core/root.h"

namespace vouch::access {

class KeyFiles {
 public:
  // Of a configuration that cannot be read the defaults are taken; gaps() says so.
  explicit KeyFiles(const Root& root);

  // The files for one account, whether they exist or not. Those that a Match may name for it are
  // in: criteria other than User and Group depend on the connection, so they count as met; so does
  // Group where `groups` is null, for an account whose groups are not known.
  [[nodiscard]] std::vector<std::string> paths(const PasswdEntry& user,
                                               const std::vector<std::string>* groups) const;
  // Empty, or what sshd also asks: AuthorizedKeysCommand. Its answers are not examined.
  [[nodiscard]] const std::string& command() const { return command_; }
  [[nodiscard]] const std::vector<std::pair<std::string, Error>>& gaps() const { return gaps_; }

 private:
  enum class Fit { no, maybe, surely };
  [[nodiscard]] Fit fit(const facts::SshdDirective& directive, const PasswdEntry& user,
                        const std::vector<std::string>* groups) const;

  std::vector<facts::SshdDirective> directives_;  // AuthorizedKeysFile alone.
  std::vector<facts::SshdMatch> matches_;
  std::string command_;
  std::vector<std::pair<std::string, Error>> gaps_;
};

}  // namespace vouch::access
