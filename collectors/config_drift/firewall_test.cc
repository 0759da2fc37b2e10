// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/firewall_files.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

namespace {

const FirewallChain* find(const std::vector<FirewallChain>& chains, std::string_view name) {
  for (const FirewallChain& chain : chains) {
    if (chain.chain == name) return &chain;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("nftables: hooks, policies, and what becomes of the rest", "[firewall]") {
  const auto file = parse_nftables(
      "#!/usr/sbin/nft -f\nflush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n"
      "define ports = { 22, 80 }\n"
      "table inet filter {\n"
      "  set allowed { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 } }\n"
      "  chain input {\n    type filter hook input priority filter; policy drop;\n"
      "    ct state { established, related } accept # comment { }\n"
      "    tcp dport $ports accept\n  }\n"
      "  chain forward { type filter hook forward priority 0; policy accept; counter packets 0 "
      "bytes 0 log prefix \"no: \" drop }\n"
      "  chain helper {\n    ip saddr 192.0.2.1 accept\n    reject with icmpx admin-prohibited\n  "
      "}\n"
      "}\n"
      "add table ip old\nadd chain ip old in { type filter hook input priority 0 \\; }\n"
      "add rule ip old in tcp dport 22 accept\nadd rule ip old in drop\n"
      "add rule ip old in accept\n");

  REQUIRE(file.chains.size() == 4);
  const auto* input = find(file.chains, "input");
  REQUIRE(input != nullptr);
  CHECK(input->family == "inet");
  CHECK(input->table == "filter");
  CHECK(input->hook == "input");
  CHECK(input->policy == "drop");
  CHECK(input->default_action == "drop");
  CHECK(input->rules == 2);
  const auto* forward = find(file.chains, "forward");
  CHECK(forward->policy == "accept");
  CHECK(forward->default_action == "drop");
  CHECK(forward->rules == 1);
  const auto* helper = find(file.chains, "helper");
  CHECK(helper->hook.empty());
  CHECK(helper->default_action == "reject");
  const auto* old = find(file.chains, "in");
  CHECK(old->family == "ipv4");
  CHECK(old->policy == "accept");
  CHECK(old->default_action == "drop");
  CHECK(old->rules == 3);
  CHECK(file.includes == std::vector<std::string>{"/etc/nftables.d/*.nft"});
  CHECK(parse_nftables("table ip x { chain a { drop } }\nflush ruleset\n").chains.empty());
}

TEST_CASE("broken rules end with their file", "[firewall]") {
  for (const std::string text :
       {"table", "table inet", "table inet x {", "table x { chain", "table x { chain a {",
        "table x { chain a { \"", "}}}", "{{{", "add", "add chain", "include", "table x { y { z }",
        ";;;", "table x { chain a { type filter hook"}) {
    CAPTURE(text);
    CHECK(parse_nftables(text).chains.size() <= 1);
  }
}

TEST_CASE("iptables-save: the filter table alone", "[firewall]") {
  const auto chains = parse_iptables_save(
      "*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n"
      ":f2b - [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
      "-A INPUT -s 192.0.2.1 -j DROP\n-A INPUT -j REJECT --reject-with icmp-port-unreachable\n"
      "COMMIT\n",
      "ipv4");

  REQUIRE(chains.size() == 3);
  CHECK(find(chains, "INPUT")->policy == "accept");
  CHECK(find(chains, "INPUT")->default_action == "reject");
  CHECK(find(chains, "INPUT")->hook == "input");
  CHECK(find(chains, "INPUT")->rules == 3);
  CHECK(find(chains, "FORWARD")->default_action == "drop");
  CHECK(find(chains, "f2b")->hook.empty());
}

TEST_CASE("the chains of all tools are one table", "[firewall]") {
  sdk::TestTree tree;
  tree.file("/etc/nftables.conf",
            "table inet f { chain input { type filter hook input priority 0; "
            "policy drop; } }\ninclude \"nftables.d/*.nft\"\n");
  tree.file("/etc/nftables.d/x.nft", "table ip x { chain y { } }\n");
  tree.file("/etc/iptables/rules.v6", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n");
  tree.file("/etc/ufw/ufw.conf", "ENABLED=no\n");
  tree.file("/etc/default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n");
  tree.file("/etc/ufw/user.rules",
            "### tuple ###\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n");
  tree.file("/etc/firewalld/firewalld.conf", "DefaultZone=work\n");
  tree.file("/usr/lib/firewalld/zones/work.xml",
            "<?xml version=\"1.0\"?>\n<zone target=\"DROP\">\n<service name=\"ssh\"/>\n</zone>\n");
  tree.fifo("/etc/sysconfig/iptables");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"firewall_chains"}});

  CHECK(answer.violation == "");
  const auto cell = [&](std::string_view chain, std::string_view wanted) {
    return answer.cell("firewall_chains", "chain", chain, wanted);
  };
  CHECK(cell("input", "default_action") == "drop");
  CHECK(cell("y", "source") == "/etc/nftables.d/x.nft");
  CHECK(cell("INPUT", "family") == "ipv6");
  CHECK(cell("ufw-input", "tool") == "several");
  CHECK(answer.cell("firewall_chains", "rules", "1", "tool") == "several");
  CHECK(cell("work", "policy") == "drop");
  CHECK(cell("work", "enabled") == "true");
  CHECK(answer.has_gap("firewall_chains", "/etc/sysconfig/iptables"));
  CHECK(answer.tables.at("firewall_chains").size() == 6);
}
