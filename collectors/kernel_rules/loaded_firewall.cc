// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/loaded_firewall.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>

#include "collectors/kernel_rules/netlink.h"

namespace vouch::kernel_rules {
namespace {

std::string family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ipv4";
    case NFPROTO_IPV6:
      return "ipv6";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return std::to_string(family);
  }
}

std::string hook_name(std::uint8_t family, std::uint32_t number) {
  static constexpr std::array<std::string_view, 6> kHooks{"prerouting", "input",       "forward",
                                                          "output",     "postrouting", "ingress"};
  static constexpr std::array<std::string_view, 2> kDevice{"ingress", "egress"};
  static constexpr std::array<std::string_view, 3> kArp{"input", "output", "forward"};
  const auto at = [&](const auto& names) {
    return number < names.size() ? std::string(names[number]) : std::to_string(number);
  };
  if (family == NFPROTO_NETDEV) return at(kDevice);
  if (family == NFPROTO_ARP) return at(kArp);
  return at(kHooks);
}

std::string text_of(std::string_view payload) {
  return std::string(payload.substr(0, payload.find('\0')));
}

std::optional<std::uint32_t> number_of(std::string_view payload) {
  std::uint32_t value = 0;
  if (payload.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, payload.data(), sizeof value);
  return ntohl(value);
}

std::optional<std::uint8_t> take_family(std::string_view& message) {
  if (message.size() < sizeof(nfgenmsg)) return std::nullopt;
  const auto family = static_cast<std::uint8_t>(message[0]);
  message.remove_prefix(NLMSG_ALIGN(sizeof(nfgenmsg)));
  return family;
}

// The verdict in the data of an `immediate` expression: "drop", "accept" or nothing of these.
std::string verdict_of(std::string_view data) {
  std::string verdict;
  each_attribute(data, [&](std::uint16_t type, std::string_view immediate) {
    if (type != NFTA_IMMEDIATE_DATA) return;
    each_attribute(immediate, [&](std::uint16_t kind, std::string_view payload) {
      if (kind != NFTA_DATA_VERDICT) return;
      each_attribute(payload, [&](std::uint16_t each, std::string_view code) {
        const auto number = number_of(code);
        if (each != NFTA_VERDICT_CODE || !number) return;
        if (*number == NF_DROP) verdict = "drop";
        if (*number == NF_ACCEPT) verdict = "accept";
      });
    });
  });
  return verdict;
}

// What a rule does with every packet: empty if it asks for something first.
std::string unconditional_verdict(std::string_view expressions) {
  std::string verdict;
  bool is_conditional = false;
  each_attribute(expressions, [&](std::uint16_t, std::string_view expression) {
    std::string name;
    std::string_view data;
    each_attribute(expression, [&](std::uint16_t type, std::string_view payload) {
      if (type == NFTA_EXPR_NAME) name = text_of(payload);
      if (type == NFTA_EXPR_DATA) data = payload;
    });
    if (name == "immediate") {
      verdict = verdict_of(data);
    } else if (name == "reject") {
      verdict = "reject";
    } else if (name == "target") {
      // iptables-nft: what has no expression of its own is a module of xtables.
      each_attribute(data, [&](std::uint16_t type, std::string_view payload) {
        if (type == NFTA_TARGET_NAME && text_of(payload) == "REJECT") verdict = "reject";
      });
    } else if (name != "counter" && name != "log") {
      is_conditional = true;
    }
  });
  return is_conditional ? "" : verdict;
}

Status ask(std::uint16_t message, const std::function<void(std::string_view)>& take) {
  const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
  const std::string body(sizeof(nfgenmsg), '\0');  // Every family.
  return ask_kernel(NETLINK_NETFILTER, type, NLM_F_DUMP, body,
                    [&](std::uint16_t, std::string_view answer) -> Status {
                      take(answer);
                      return Ok{};
                    });
}

}  // namespace

void ChainSet::take_chain(std::string_view message) {
  const auto family = take_family(message);
  if (!family) return;
  drift::FirewallChain chain;
  chain.family = family_name(*family);
  std::optional<std::uint32_t> policy;
  each_attribute(message, [&](std::uint16_t type, std::string_view payload) {
    if (type == NFTA_CHAIN_TABLE) chain.table = text_of(payload);
    if (type == NFTA_CHAIN_NAME) chain.chain = text_of(payload);
    if (type == NFTA_CHAIN_POLICY) policy = number_of(payload);
    if (type != NFTA_CHAIN_HOOK) return;
    each_attribute(payload, [&](std::uint16_t each, std::string_view value) {
      const auto number = number_of(value);
      if (each == NFTA_HOOK_HOOKNUM && number) chain.hook = hook_name(*family, *number);
    });
  });
  if (!chain.hook.empty()) chain.policy = policy == NF_DROP ? "drop" : "accept";
  chains_[{chain.family, chain.table, chain.chain}] = chain;
}

void ChainSet::take_rule(std::string_view message) {
  const auto family = take_family(message);
  if (!family) return;
  std::string table;
  std::string name;
  std::string verdict;
  each_attribute(message, [&](std::uint16_t type, std::string_view payload) {
    if (type == NFTA_RULE_TABLE) table = text_of(payload);
    if (type == NFTA_RULE_CHAIN) name = text_of(payload);
    if (type == NFTA_RULE_EXPRESSIONS) verdict = unconditional_verdict(payload);
  });
  const auto chain = chains_.find({family_name(*family), table, name});
  if (chain == chains_.end()) return;  // It came between the two questions.
  ++chain->second.rules;
  if (chain->second.default_action.empty()) chain->second.default_action = verdict;
}

std::vector<drift::FirewallChain> ChainSet::chains() const {
  std::vector<drift::FirewallChain> out;
  for (const auto& [key, chain] : chains_) {
    out.push_back(chain);
    if (out.back().default_action.empty()) out.back().default_action = chain.policy;
  }
  return out;
}

Result<std::vector<drift::FirewallChain>> query_firewall_chains() {
  ChainSet set;
  auto status = ask(NFT_MSG_GETCHAIN, [&](std::string_view message) { set.take_chain(message); });
  if (!status) return status.error();
  status = ask(NFT_MSG_GETRULE, [&](std::string_view message) { set.take_rule(message); });
  if (!status) return status.error();
  return set.chains();
}

}  // namespace vouch::kernel_rules
