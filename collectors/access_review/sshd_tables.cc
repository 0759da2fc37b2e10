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

// The blocks that hold together, and one connection on which they do.
struct Variant {
  Holds holds;
  SshdOrigin origin;
};

// What tells the connections to a host apart; made once per run.
struct Policy {
  std::optional<SshdConfig> config;  // None: no sshd is configured.
  std::vector<Variant> by_origin;    // As far as the origin decides; each set of blocks once.
  std::vector<std::pair<std::string, Error>> gaps;
  Status read = Ok{};
};

void sort_origins(Policy& policy, const std::vector<SshdOrigin>& origins) {
  const auto& matches = policy.config->matches;
  std::vector<std::optional<Error>> faults(matches.size());
  std::set<Holds> seen;
  for (const SshdOrigin& origin : origins) {
    Holds holds;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const auto fits = sshd_match_fits_origin(matches[i], origin);
      if (!fits) faults[i] = fits.error();
      holds.push_back(fits && *fits);
    }
    if (seen.insert(holds).second) policy.by_origin.push_back({std::move(holds), origin});
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
std::vector<Variant> variants_of(const Policy& policy, const SshdUser& user) {
  Holds for_user;
  for (const auto& match : policy.config->matches) {
    const auto fits = sshd_match_fits_user(match, user);
    for_user.push_back(!fits || *fits);
  }
  std::set<Holds> seen;
  std::vector<Variant> variants;
  for (const Variant& variant : policy.by_origin) {
    Holds both;
    for (std::size_t i = 0; i < for_user.size(); ++i) {
      both.push_back(for_user[i] && variant.holds[i]);
    }
    if (seen.insert(both).second) variants.push_back({std::move(both), variant.origin});
  }
  return variants;
}

// Calls `take(account, name of the variant, variant)` for all of them; tells the gaps.
template <typename Take>
Status each_connection(Context& context, Rows& rows, Take take) {
  const Policy& policy = policy_of(context);
  for (const auto& [object, error] : policy.gaps) rows.gap(object, error);
  if (!policy.read) return policy.read;
  if (!policy.config) return Ok{};
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto groups = read_memberships(context, rows);
  if (!groups) return groups.error();
  auto by_account = groups_by_account(*accounts, *groups);
  std::set<std::string_view> seen;  // Of two lines with one name the first counts.
  for (const Account& account : *accounts) {
    if (!seen.insert(account.entry.name).second) continue;
    const SshdUser user{account.entry.name, std::move(by_account[account.entry.name])};
    std::set<std::string> names;
    for (const Variant& variant : variants_of(policy, user)) {
      const std::string name = variant_name(*policy.config, variant.holds);
      if (names.insert(name).second) take(account.entry, name, variant);
    }
  }
  return Ok{};
}

Status collect_connections(Context& context, Rows& rows) {
  return each_connection(context, rows, [&](const auto& entry, const auto& name, const auto& one) {
    const SshdOrigin& origin = one.origin;
    rows.add({entry.name, name, entry.uid, origin.address, origin.host, origin.local_address,
              origin.local_port});
  });
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
  std::set<std::string> seen;
  return each_connection(context, rows, [&](const auto&, const auto& name, const auto& one) {
    if (name.empty() || !seen.insert(name).second) return;
    add_settings(rows, name, *policy_of(context).config, one.holds);
  });
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
