// SPDX-License-Identifier: Apache-2.0
// Firewalls as their files say: which chains see incoming packets, and what becomes of a packet
// that no rule names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct FirewallChain {
  std::string family;  // "inet", "ipv4", "ipv6" …
  std::string table;
  std::string chain;
  std::string hook;            // "input" …; empty: reached from other chains only.
  std::string policy;          // "accept", "drop"; "reject"
  std::string default_action;  // The policy, or the verdict of a last rule without condition.
  std::int64_t rules = 0;
};

// nft(8), the syntax of `nft list ruleset` and of `add table`, `add chain`, `add rule`. What is not
// understood is passed over. `includes` gets the patterns of include.
struct NftablesFile {
  std::vector<FirewallChain> chains;
  std::vector<std::string> includes;
};
NftablesFile parse_nftables(std::string_view text);

// iptables-save(8), the table `filter`. `family` is "ipv4" or "ipv6".
std::vector<FirewallChain> parse_iptables_save(std::string_view text, std::string_view family);

// NAME=value of a file that a shell would source, without quotes; empty if it is not there.
std::string shell_value(std::string_view text, std::string_view name);

// The target of a zone of firewalld: "reject" (its default), "drop", "accept".
FirewallChain parse_firewalld_zone(std::string_view xml, std::string_view zone);

}  // namespace vouch::drift
