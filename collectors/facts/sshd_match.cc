// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/sshd_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_patterns.h"

namespace vouch::facts {
namespace {

// Keywords that a Match can change, sorted; inside `Match all` others count as if they stood
// outside.
constexpr auto kMatchKeywords = std::to_array<std::string_view>({"acceptenv",
                                                                 "allowagentforwarding",
                                                                 "allowgroups",
                                                                 "allowstreamlocalforwarding",
                                                                 "allowtcpforwarding",
                                                                 "allowusers",
                                                                 "authenticationmethods",
                                                                 "authorizedkeyscommand",
                                                                 "authorizedkeyscommanduser",
                                                                 "authorizedkeysfile",
                                                                 "authorizedprincipalscommand",
                                                                 "authorizedprincipalscommanduser",
                                                                 "authorizedprincipalsfile",
                                                                 "banner",
                                                                 "casignaturealgorithms",
                                                                 "channeltimeout",
                                                                 "chrootdirectory",
                                                                 "clientalivecountmax",
                                                                 "clientaliveinterval",
                                                                 "denygroups",
                                                                 "denyusers",
                                                                 "disableforwarding",
                                                                 "exposeauthinfo",
                                                                 "forcecommand",
                                                                 "gatewayports",
                                                                 "gssapiauthentication",
                                                                 "hostbasedacceptedalgorithms",
                                                                 "hostbasedauthentication",
                                                                 "hostbasedusesnamefrompacketonly",
                                                                 "ignorerhosts",
                                                                 "ipqos",
                                                                 "kbdinteractiveauthentication",
                                                                 "kerberosauthentication",
                                                                 "loglevel",
                                                                 "logverbose",
                                                                 "maxauthtries",
                                                                 "maxsessions",
                                                                 "pamservicename",
                                                                 "passwordauthentication",
                                                                 "permitemptypasswords",
                                                                 "permitlisten",
                                                                 "permitopen",
                                                                 "permitrootlogin",
                                                                 "permittty",
                                                                 "permittunnel",
                                                                 "permituserrc",
                                                                 "pubkeyacceptedalgorithms",
                                                                 "pubkeyauthentication",
                                                                 "pubkeyauthoptions",
                                                                 "rdomain",
                                                                 "refuseconnection",
                                                                 "rekeylimit",
                                                                 "requiredrsasize",
                                                                 "revokedkeys",
                                                                 "setenv",
                                                                 "streamlocalbindmask",
                                                                 "streamlocalbindunlink",
                                                                 "subsystem",
                                                                 "trustedusercakeys",
                                                                 "unusedconnectiontimeout",
                                                                 "x11displayoffset",
                                                                 "x11forwarding",
                                                                 "x11uselocalhost"});

bool may_stand_in_match(std::string_view keyword) {
  return std::binary_search(kMatchKeywords.begin(), kMatchKeywords.end(), keyword);
}

bool is_all(const SshdMatch& match) {
  return match.criteria.size() == 1 && match.criteria[0].name == "all";
}

bool fits_groups(std::string_view list, const std::vector<std::string>& groups) {
  bool is_accepted = false;
  for (const std::string& group : groups) {
    const ListAnswer answer = ssh_list_answer(list, group);
    if (answer == ListAnswer::refused) return false;  // One such group is enough.
    is_accepted = is_accepted || answer == ListAnswer::accepted;
  }
  return is_accepted;
}

Result<bool> fits_address(std::string_view list, std::string_view address) {
  const auto answer = ssh_address_answer(list, address);
  if (!answer) return Error{Errc::invalid, "an address of a Match has bits beyond its mask"};
  return *answer == ListAnswer::accepted;
}

Result<bool> fits(const SshdCriterion& criterion, const SshdOrigin& origin) {
  if (criterion.name == "address") return fits_address(criterion.value, origin.address);
  if (criterion.name == "localaddress") return fits_address(criterion.value, origin.local_address);
  if (criterion.name == "localport") return criterion.value == std::to_string(origin.local_port);
  if (criterion.name == "host") {
    return ssh_list_answer(lower_case(criterion.value), lower_case(origin.host)) ==
           ListAnswer::accepted;
  }
  return ssh_list_answer(criterion.value, origin.routing_domain) == ListAnswer::accepted;
}

// Of `all` in order, the first of each keyword, or each of those that add up.
std::vector<const SshdDirective*> first_ones(const std::vector<const SshdDirective*>& all) {
  std::vector<const SshdDirective*> kept;
  std::set<std::string_view> settled;
  for (const SshdDirective* directive : all) {
    const bool is_new = settled.insert(directive->keyword).second;
    if (is_new || sshd_keyword_accumulates(directive->keyword)) kept.push_back(directive);
  }
  return kept;
}

}  // namespace

Result<bool> sshd_match_fits_user(const SshdMatch& match, const SshdUser& user) {
  bool holds = true;
  for (const SshdCriterion& criterion : match.criteria) {
    if (criterion.name == "user") {
      holds = holds && ssh_list_answer(criterion.value, user.name) == ListAnswer::accepted;
    } else if (criterion.name == "group") {
      holds = holds && fits_groups(criterion.value, user.groups);
    } else if (criterion.name == "invalid-user") {
      holds = false;  // It is an account.
    }
  }
  return holds;
}

Result<bool> sshd_match_fits_origin(const SshdMatch& match, const SshdOrigin& origin) {
  static constexpr std::array<std::string_view, 5> kOfOrigin{"address", "localaddress", "localport",
                                                             "host", "rdomain"};
  static constexpr std::array<std::string_view, 4> kOthers{"user", "group", "all", "invalid-user"};
  bool holds = true;
  for (const SshdCriterion& criterion : match.criteria) {
    if (std::find(kOthers.begin(), kOthers.end(), criterion.name) != kOthers.end()) continue;
    if (std::find(kOfOrigin.begin(), kOfOrigin.end(), criterion.name) == kOfOrigin.end()) {
      return Error{Errc::unsupported,
                   fmt::format("Match {}: it is not known when that holds", criterion.name)};
    }
    const auto fitting = fits(criterion, origin);
    if (!fitting) return fitting;
    holds = holds && *fitting;
  }
  return holds;
}

std::vector<const SshdDirective*> sshd_active(const SshdConfig& config,
                                              const std::vector<bool>& holds) {
  std::vector<const SshdDirective*> active;
  for (const SshdDirective& directive : config.directives) {
    const bool is_active = !directive.blocks.empty() && may_stand_in_match(directive.keyword) &&
                           std::all_of(directive.blocks.begin(), directive.blocks.end(),
                                       [&](std::size_t block) { return holds[block]; });
    if (is_active) active.push_back(&directive);
  }
  return active;
}

std::vector<const SshdDirective*> sshd_from_matches(const SshdConfig& config,
                                                    const std::vector<bool>& holds) {
  return first_ones(sshd_active(config, holds));
}

std::vector<const SshdDirective*> sshd_in_effect(const SshdConfig& config,
                                                 const std::vector<bool>& holds) {
  std::vector<const SshdDirective*> values = sshd_from_matches(config, holds);
  std::set<std::string_view> overruled;
  for (const SshdDirective* directive : values) overruled.insert(directive->keyword);
  // sshd reads the files once before there is a connection: `Match all` counts then, too.
  std::vector<const SshdDirective*> everywhere;
  for (const SshdDirective& directive : config.directives) {
    const bool counts =
        std::all_of(directive.blocks.begin(), directive.blocks.end(),
                    [&](std::size_t block) { return is_all(config.matches[block]); });
    if (counts && overruled.count(directive.keyword) == 0) everywhere.push_back(&directive);
  }
  for (const SshdDirective* directive : first_ones(everywhere)) values.push_back(directive);
  return values;
}

std::vector<bool> sshd_matches_of_all(const SshdConfig& config) {
  std::vector<bool> holds;
  for (const SshdMatch& match : config.matches) holds.push_back(is_all(match));
  return holds;
}

}  // namespace vouch::facts
