// SPDX-License-Identifier: Apache-2.0
// The chains of nf_tables that the kernel has loaded, those of iptables-nft among them. Asking
// needs CAP_NET_ADMIN, which could change them too: hence a collector of its own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "collectors/config_drift/firewall_files.h"
#include "core/result.h"

namespace vouch::kernel_rules {

// Puts together what the kernel's messages say. Hostile or unknown ones are passed over.
class ChainSet {
 public:
  void take_chain(std::string_view message);  // Body of NFT_MSG_NEWCHAIN.
  void take_rule(std::string_view message);   // Body of NFT_MSG_NEWRULE.
  // Sorted by family, table and chain.
  [[nodiscard]] std::vector<drift::FirewallChain> chains() const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, drift::FirewallChain> chains_;
};

Result<std::vector<drift::FirewallChain>> query_firewall_chains();

}  // namespace vouch::kernel_rules
