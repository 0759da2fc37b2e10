// SPDX-License-Identifier: Apache-2.0
// What sshd's configuration says for one connection: which Match blocks hold, and which directives
// are in effect then. As `sshd -T -C` has it, but from the parsed files, so for an image, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/facts/sshd_config.h"
#include "core/result.h"

namespace vouch::facts {

struct SshdUser {
  std::string name;
  std::vector<std::string> groups;
};

// Where a connection comes from and arrives.
struct SshdOrigin {
  std::string address;
  std::string host;  // The client's name; its address where sshd asks for no name.
  std::string local_address;
  int local_port = 22;
  std::string routing_domain;
};

// The criteria of a Match about the account (User, Group), and all others. A Match holds where both
// do. Errc::unsupported: a criterion that is not known here; Errc::invalid: one that sshd refuses.
Result<bool> sshd_match_fits_user(const SshdMatch& match, const SshdUser& user);
Result<bool> sshd_match_fits_origin(const SshdMatch& match, const SshdOrigin& origin);

// The directives in effect where `holds[i]` says whether config.matches[i] does: what the blocks
// say comes before what holds everywhere, and of each the first value wins (or all add up).
std::vector<const SshdDirective*> sshd_in_effect(const SshdConfig& config,
                                                 const std::vector<bool>& holds);
// All directives of the blocks that hold, in the order of reading.
std::vector<const SshdDirective*> sshd_active(const SshdConfig& config,
                                              const std::vector<bool>& holds);
// Those of them that are in effect.
std::vector<const SshdDirective*> sshd_from_matches(const SshdConfig& config,
                                                    const std::vector<bool>& holds);
// `Match all` and nothing else: what `sshd -T` without a connection takes.
std::vector<bool> sshd_matches_of_all(const SshdConfig& config);

// Origins of which each distinction that the criteria and the hosts of AllowUsers and DenyUsers
// make has at least one: the ends of every network that they name, something that fits each other
// pattern, and one that nothing names. Errc::too_large beyond 20,000; Errc::unsupported: nothing is
// known that fits a pattern.
Result<std::vector<SshdOrigin>> sshd_origins(const SshdConfig& config);

}  // namespace vouch::facts
