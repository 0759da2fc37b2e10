// SPDX-License-Identifier: Apache-2.0
// The table firewall_chains: what the firewall's files say. What is loaded is the table
// firewall_loaded_chains of another collector, which needs a capability.
#include <set>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/firewall_files.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kRulesBytesMax = 8 << 20;
constexpr std::size_t kFilesMax = 200;

class Firewalls {
 public:
  Firewalls(const Root& root, Rows& rows) : root_(root), rows_(rows) {}

  void collect() {
    nftables();
    iptables("/etc/iptables/rules.v4", "ipv4");
    iptables("/etc/iptables/rules.v6", "ipv6");
    iptables("/etc/sysconfig/iptables", "ipv4");
    iptables("/etc/sysconfig/ip6tables", "ipv6");
    ufw();
    firewalld();
  }

 private:
  std::optional<std::string> read(const std::string& path) {
    auto text = root_.read(path, kRulesBytesMax);
    if (text) return *std::move(text);
    if (text.error().code != Errc::not_found) rows_.gap(path, text.error());
    return std::nullopt;
  }

  void add(std::string_view tool, const std::string& source, const FirewallChain& chain,
           bool enabled = true) {
    rows_.add({tool, source, chain.family, chain.table, chain.chain, chain.hook, chain.policy,
               chain.default_action, chain.rules, enabled});
  }

  void nftables() {
    std::vector<std::string> files = {"/etc/nftables.conf", "/etc/sysconfig/nftables.conf"};
    std::set<std::string> seen;
    for (std::size_t i = 0; i < files.size() && i < kFilesMax; ++i) {
      if (!seen.insert(files[i]).second) continue;
      const auto text = read(files[i]);
      if (!text) continue;
      const NftablesFile file = parse_nftables(*text);
      for (const FirewallChain& chain : file.chains) add("nftables", files[i], chain);
      for (std::string pattern : file.includes) {
        if (!pattern.starts_with('/')) pattern = "/etc/" + pattern;
        for (std::string& path : facts::glob_paths(root_, pattern))
          files.push_back(std::move(path));
      }
    }
  }

  void iptables(const std::string& path, std::string_view family) {
    const auto text = read(path);
    if (!text) return;
    for (const FirewallChain& chain : parse_iptables_save(*text, family)) {
      add("iptables", path, chain);
    }
  }

  void ufw() {
    const auto settings = read("/etc/ufw/ufw.conf");
    const auto defaults = read("/etc/default/ufw");
    if (!settings || !defaults) return;
    const bool is_enabled = facts::lower_case(shell_value(*settings, "ENABLED")) == "yes";
    for (const std::string family : {"ipv4", "ipv6"}) {
      const bool is_ipv6 = family == "ipv6";
      if (is_ipv6 && facts::lower_case(shell_value(*defaults, "IPV6")) != "yes") continue;
      FirewallChain chain{family, "filter", "ufw-input", "input", "", "", 0};
      chain.policy = facts::lower_case(shell_value(*defaults, "DEFAULT_INPUT_POLICY"));
      chain.default_action = chain.policy;
      const auto rules = read(is_ipv6 ? "/etc/ufw/user6.rules" : "/etc/ufw/user.rules");
      facts::each_line(rules.value_or(""), [&](std::string_view line, int) {
        if (line.starts_with("-A ufw")) ++chain.rules;
      });
      add("ufw", "/etc/default/ufw", chain, is_enabled);
    }
  }

  void firewalld() {
    const std::string path = "/etc/firewalld/firewalld.conf";
    const auto settings = read(path);
    if (!settings) return;
    std::string zone = shell_value(*settings, "DefaultZone");
    if (zone.empty()) zone = "public";
    for (const std::string directory : {"/etc/firewalld/zones/", "/usr/lib/firewalld/zones/"}) {
      const auto text = read(directory + zone + ".xml");
      if (text)
        return add("firewalld", directory + zone + ".xml", parse_firewalld_zone(*text, zone));
    }
    rows_.gap(path, {Errc::not_found, "the zone " + zone + " has no file"});
  }

  const Root& root_;
  Rows& rows_;
};

Status collect(Context& context, Rows& rows) {
  Firewalls(context.root(), rows).collect();
  return Ok{};
}

}  // namespace

sdk::Table firewall_chains_table() {
  return {.name = "firewall_chains",
          .title = "Chains of the firewall as its files say",
          .columns = {sdk::text("tool", "nftables, iptables, ufw, firewalld").key(),
                      sdk::bytes("source", "The file").key(),
                      sdk::text("family", "ipv4, ipv6, inet (both) …").key(),
                      sdk::text("table_name", "Table; of firewalld: zone").key(),
                      sdk::text("chain", "Chain; of firewalld: the zone's name").key(),
                      sdk::occurrence(),
                      sdk::text("hook", "input …; empty: reached from other chains only"),
                      sdk::text("policy", "accept, drop, reject; empty without a hook"),
                      sdk::text("default_action",
                                "The policy, or the verdict of the first rule "
                                "without condition"),
                      sdk::integer("rules", "How many"),
                      sdk::boolean("enabled", "The tool's own configuration switches it on")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::drift
