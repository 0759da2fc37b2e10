// SPDX-License-Identifier: Apache-2.0
// The sudo policy of a host: /etc/sudoers with everything that it includes, aliases expanded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/access_review/sudoers.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::access {

// One user may run one command.
struct SudoGrant {
  std::string source;
  std::string user;    // "!ann" where a list takes ann out.
  std::string host;    // The whole list, "ALL,!web1".
  std::string run_as;  // "root", "ALL:ALL", "ann,bob:adm"; "" for "()": the invoking user.
  std::string command;
  bool negated = false;  // The command is taken out.
  std::vector<std::string> tags;
};

struct SudoSource {
  std::string path;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  SudoersFile content;
};

struct SudoPolicy {
  std::vector<SudoSource> files;                    // In the order of reading.
  std::vector<std::pair<std::string, Error>> gaps;  // Path that was not read, and why.
};

// Reads /etc/sudoers and its includes. No such file: an empty policy, nobody has anything. An Error
// only if that file itself cannot be read; what is wrong further down is a gap.
Result<SudoPolicy> read_sudo_policy(const Root& root);

// One grant per user and command. Undefined aliases stay as they are, as in sudo they match nobody.
// Errc::too_large beyond 100,000 grants.
Result<std::vector<SudoGrant>> expand_grants(const SudoPolicy& policy);

}  // namespace vouch::access
