// SPDX-License-Identifier: Apache-2.0
// The tables sshd_connections and sshd_match_settings: which Match blocks of sshd hold for which
// account on which connections, and what they say there.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/facts/sshd_admission.h"
#include "collectors/facts/sshd_match.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using facts::SshdConfig;
using facts::SshdOrigin;
using facts::SshdUser;
using sdk::Context;
using sdk::Rows;

using Holds = std::vector<bool>;  // By block of SshdConfig::matches.

// Blocks that hold together on a connection.
struct Variant {
  Holds holds;
  SshdOrigin origin;
};

// The same for an account, with what the lists of users and groups say.
struct Connection {
  Holds holds;
  SshdOrigin origin;  // One that is let in, if there is any.
  bool is_some_admitted = false;
  std::set<std::string_view> refused_by = {};
};

// What tells the connections to a host apart; made once per run.
struct Policy {
  std::optional<SshdConfig> config;  // None: no sshd is configured.
  std::vector<Variant> by_origin;    // As far as the origin decides; each set of blocks once.
  Holds has_directives;              // By block: without any it makes no difference.
  std::vector<std::pair<std::string, Error>> gaps;
  Status read = Ok{};
};

// What both tables are made of.
struct AccountConnection {
  std::string username;
  std::int64_t uid = 0;
  std::string variant;
  Connection connection;
};

// What the hosts of AllowUsers and DenyUsers, wherever they stand, say of a connection.
Holds host_answers(const SshdConfig& config, const SshdOrigin& origin) {
  Holds answers;
  for (const auto& directive : config.directives) {
    if (directive.keyword != "allowusers" && directive.keyword != "denyusers") continue;
    for (const std::string& pattern : directive.arguments) {
      const std::string_view hosts = facts::host_part(pattern);
      if (!hosts.empty()) answers.push_back(facts::host_part_fits(hosts, origin));
    }
  }
  return answers;
}

void sort_origins(Policy& policy, const std::vector<SshdOrigin>& origins) {
  const auto& matches = policy.config->matches;
  std::vector<std::optional<Error>> faults(matches.size());
  std::set<std::pair<Holds, Holds>> seen;
  for (const SshdOrigin& origin : origins) {
    Holds holds;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const auto fits = sshd_match_fits_origin(matches[i], origin);
      if (!fits) faults[i] = fits.error();
      holds.push_back(fits && *fits);
    }
    const bool is_new = seen.emplace(holds, host_answers(*policy.config, origin)).second;
    if (is_new) policy.by_origin.push_back({std::move(holds), origin});
  }
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (!faults[i]) continue;
    policy.gaps.emplace_back(fmt::format("{}:{}", matches[i].source, matches[i].line), *faults[i]);
  }
}

const Policy& policy_of(Context& context) {
  return context.once([&context] {
    Policy policy;
    auto config = facts::read_sshd_config(context.root());
    if (!config) {
      if (config.error().code != Errc::not_found) policy.read = config.error();
      return policy;
    }
    policy.gaps = config->gaps;
    policy.config = *std::move(config);
    policy.has_directives.resize(policy.config->matches.size());
    for (const auto& directive : policy.config->directives) {
      for (const std::size_t block : directive.blocks) policy.has_directives[block] = true;
    }
    auto origins = facts::sshd_origins(*policy.config);
    if (!origins) {
      policy.read = origins.error();
      return policy;
    }
    sort_origins(policy, *origins);
    return policy;
  });
}

// "Group sftp; Address 10.0.0.0/8": the blocks as the files have them, in their order.
std::string variant_name(const SshdConfig& config, const Holds& holds) {
  std::string name;
  std::string_view last;
  for (const auto* directive : facts::sshd_active(config, holds)) {
    const std::string_view match =
        directive->match.empty() ? "all" : std::string_view(directive->match);
    if (match == last) continue;
    name += (name.empty() ? "" : "; ") + std::string(match);
    last = match;
  }
  return name;
}

// Names of the groups of each account, its own one included.
std::map<std::string, std::vector<std::string>> groups_by_account(
    const std::vector<Account>& accounts, const std::vector<GroupEntry>& groups) {
  std::map<std::string, std::vector<std::string>> by_account;
  std::map<std::int64_t, std::string> names;
  for (const GroupEntry& group : groups) {
    names.try_emplace(group.gid, group.name);
    for (const std::string& member : group.members) by_account[member].push_back(group.name);
  }
  for (const Account& account : accounts) {
    const auto own = names.find(account.entry.gid);
    if (own != names.end()) by_account[account.entry.name].push_back(own->second);
  }
  return by_account;
}

// Each set of blocks that some connection of the account meets, once.
std::vector<Connection> connections_of(const Policy& policy, const SshdUser& user) {
  Holds for_user;
  for (const auto& match : policy.config->matches) {
    const auto fits = sshd_match_fits_user(match, user);
    for_user.push_back(policy.has_directives[for_user.size()] && (!fits || *fits));
  }
  std::map<Holds, std::pair<std::size_t, facts::SshdLists>> seen;
  std::vector<Connection> connections;
  for (const Variant& variant : policy.by_origin) {
    Holds both;
    for (std::size_t i = 0; i < for_user.size(); ++i) {
      both.push_back(for_user[i] && variant.holds[i]);
    }
    const auto [place, is_new] = seen.try_emplace(both);
    if (is_new) {
      place->second = {
          connections.size(),
          facts::sshd_lists_for(facts::sshd_in_effect(*policy.config, both), user.name)};
      connections.push_back({std::move(both), variant.origin});
    }
    Connection& connection = connections[place->second.first];
    const auto refusal = facts::sshd_refusal(place->second.second, user, variant.origin);
    if (!refusal.empty()) {
      connection.refused_by.insert(refusal);
    } else if (!connection.is_some_admitted) {
      connection.is_some_admitted = true;
      connection.origin = variant.origin;
    }
  }
  return connections;
}

std::vector<AccountConnection> connect_all(const Policy& policy,
                                           const std::vector<Account>& accounts,
                                           const std::vector<GroupEntry>& groups) {
  std::vector<AccountConnection> all;
  auto by_account = groups_by_account(accounts, groups);
  std::set<std::string_view> seen;  // Of two lines with one name the first counts.
  for (const Account& account : accounts) {
    const auto& entry = account.entry;
    if (!seen.insert(entry.name).second) continue;
    const SshdUser user{entry.name, std::move(by_account[entry.name])};
    for (Connection& connection : connections_of(policy, user)) {
      std::string name = variant_name(*policy.config, connection.holds);
      all.push_back({entry.name, entry.uid, std::move(name), std::move(connection)});
    }
  }
  return all;
}

// Null where no sshd is configured. Tells the gaps.
Result<const std::vector<AccountConnection>*> read_connections(Context& context, Rows& rows) {
  const Policy& policy = policy_of(context);
  for (const auto& [object, error] : policy.gaps) rows.gap(object, error);
  if (!policy.read) return policy.read.error();
  if (!policy.config) return nullptr;
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto groups = read_memberships(context, rows);
  if (!groups) return groups.error();
  return &context.once([&] { return connect_all(policy, *accounts, *groups); });
}

Status collect_connections(Context& context, Rows& rows) {
  const auto all = read_connections(context, rows);
  if (!all) return all.error();
  if (*all == nullptr) return Ok{};
  for (const auto& [username, uid, variant, one] : **all) {
    const SshdOrigin& origin = one.origin;
    const std::string_view admitted = !one.is_some_admitted    ? "never"
                                      : one.refused_by.empty() ? "always"
                                                               : "sometimes";
    rows.add({username, variant, uid, admitted, fmt::format("{}", fmt::join(one.refused_by, " ")),
              origin.address, origin.host, origin.local_address, origin.local_port});
  }
  return Ok{};
}

void add_settings(Rows& rows, const std::string& name, const SshdConfig& config,
                  const Holds& holds) {
  for (const auto* directive : facts::sshd_from_matches(config, holds)) {
    const std::string value = fmt::format("{}", fmt::join(directive->arguments, " "));
    const auto add = [&](std::string_view text) {
      rows.add({name, directive->keyword, text, directive->source, directive->line});
    };
    if (directive->keyword == "setenv") {
      add(redact(Redaction::environment, value));
    } else if (facts::sshd_keyword_accumulates(directive->keyword)) {
      for (const std::string& argument : directive->arguments) add(argument);
    } else {
      add(value);
    }
  }
}

Status collect_settings(Context& context, Rows& rows) {
  const auto all = read_connections(context, rows);
  if (!all) return all.error();
  if (*all == nullptr) return Ok{};
  std::set<std::string_view> seen;
  for (const AccountConnection& one : **all) {
    if (one.variant.empty() || !seen.insert(one.variant).second) continue;
    add_settings(rows, one.variant, *policy_of(context).config, one.connection.holds);
  }
  return Ok{};
}

}  // namespace

sdk::Table sshd_connections_table() {
  return {.name = "sshd_connections",
          .title =
              "Which Match blocks of sshd hold for an account: each combination that some "
              "connection can meet",
          .columns = {sdk::text("username", "Account").key(),
                      sdk::text("variant", "The blocks that hold; empty for none").key(),
                      sdk::integer("uid", "Its number"),
                      sdk::text("admitted", "always, sometimes, never, by the lists that follow"),
                      sdk::text("refused_by", "denyusers, allowusers, denygroups, allowgroups"),
                      sdk::text("address", "Of one such connection: the client's address"),
                      sdk::text("host", "The client's name; its address with UseDNS no"),
                      sdk::text("local_address", "The address that it connects to"),
                      sdk::integer("local_port", "The port that it connects to")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_connections};
}

sdk::Table sshd_match_settings_table() {
  return {.name = "sshd_match_settings",
          .title =
              "What the Match blocks of a variant of sshd_connections change of "
              "sshd_effective_config",
          .columns = {sdk::text("variant", "As of sshd_connections").key(),
                      sdk::text("setting", "Keyword, lower case").key(), sdk::occurrence(),
                      sdk::text("value", "Value"), sdk::bytes("source", "File that says so"),
                      sdk::integer("line", "Its line")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_settings};
}

}  // namespace vouch::access
