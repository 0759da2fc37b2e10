// SPDX-License-Identifier: Apache-2.0
// sshd_config(5) as written: the directives of /etc/ssh/sshd_config and its includes, in the order
// in which sshd reads them. Which of them is in effect is the reader's question: of most keywords
// the first value wins, and what stands under a Match holds only there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::facts {

struct SshdCriterion {
  std::string name;   // Lower case: "user", "address" … "all", "invalid-user".
  std::string value;  // A list of patterns; empty for the last two.
};

struct SshdMatch {
  std::vector<SshdCriterion> criteria;  // All of them must hold.
  std::string source;
  int line = 0;
};

struct SshdDirective {
  std::string keyword;                 // Lower case, and not an old name of another.
  std::vector<std::string> arguments;  // Quotes taken off.
  std::string match;                   // Criteria of the Match around it; "" everywhere.
  std::string source;                  // The file.
  int line = 0;
  std::vector<std::size_t> blocks;  // Those around it, of SshdConfig::matches; outermost first.
};

struct SshdConfig {
  std::vector<SshdDirective> directives;  // Without Match and Include themselves.
  std::vector<SshdMatch> matches;
  std::vector<std::string> files;  // All that were read, and the directories listed.
  std::vector<std::pair<std::string, Error>> gaps;  // Path, or path:line, and why.
};

// One file, without following includes: Match and Include lines are directives here. A line that
// does not parse (an open quote, a keyword without argument) is a gap.
SshdConfig parse_sshd_config(std::string_view text, std::string_view source);

// /etc/ssh/sshd_config and what it includes (patterns of glob(7), relative to /etc/ssh). An Error
// only if that file itself cannot be read: Errc::not_found where no sshd is configured.
Result<SshdConfig> read_sshd_config(const Root& root);

// The criteria of a Match line; a fault in it is one that sshd does not start with.
Result<std::vector<SshdCriterion>> parse_sshd_criteria(const std::vector<std::string>& arguments);

// True for keywords whose values add up; of all others the first one wins.
bool sshd_keyword_accumulates(std::string_view keyword);

// Paths inside the root that match a pattern of glob(7), sorted bytewise. Patterns of more than 16
// components or 10,000 matches give what was found until then.
std::vector<std::string> glob_paths(const Root& root, std::string_view pattern);

}  // namespace vouch::facts
