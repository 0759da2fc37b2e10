// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/timeline.h"

#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"

namespace vouch::verify {
namespace {

void fail_agent(AgentTimeline& agent, std::int64_t seq, std::string reason, std::string where,
                std::string detail) {
  agent.fail_from(seq, Failure{std::move(reason), std::move(where), std::move(detail)});
}

// One overload for each type of leaf. Returns a failure of the log as a whole.
class Taker {
 public:
  Taker(Timelines& timelines, std::uint64_t index, WallMs at)
      : timelines_(timelines), index_(index), at_(at) {}

  std::optional<Failure> operator()(const leaf::Enrol& leaf) {
    if (timelines_.by_id.contains(leaf.agent)) {
      return Failure{"agent-exists", here(), "an agent is enrolled twice: " + leaf.agent};
    }
    return enrol(leaf, 0);
  }

  // The same chain goes on, in a log that does not follow from the one before by signatures.
  std::optional<Failure> operator()(const leaf::Repin& leaf) {
    auto* agent = find(leaf.enrol.agent);
    if (agent == nullptr) {
      if (auto failure = enrol(leaf.enrol, leaf.next_seq)) return failure;
      agent = find(leaf.enrol.agent);
      agent->begins_repinned = true;
      agent->first_epoch = leaf.epoch;
      agent->next_seq = leaf.next_seq;
    } else if (auto detail = contradiction(*agent, leaf); !detail.empty()) {
      fail_agent(*agent, agent->next_seq, "repin", here(), std::move(detail));
    }
    agent->repins.push_back({timelines_.log, leaf});
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Succession&) {
    if (index_ == 0) return std::nullopt;  // Read before the log was.
    return Failure{"succession", here(), "a log succeeds another with its first leaf or never"};
  }

  std::optional<Failure> operator()(const leaf::Bundle& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    const auto where = fmt::format("{}/{}", leaf.agent, leaf.seq);
    if (leaf.seq < agent->next_seq) {
      fail_agent(*agent, leaf.seq, "repeat", where, "the seq is in the log twice");
      return std::nullopt;
    }
    if (leaf.seq > agent->next_seq) {
      fail_agent(*agent, agent->next_seq, "hole", fmt::format("{}/{}", leaf.agent, agent->next_seq),
                 fmt::format("the log goes on with seq {}", leaf.seq));
      return std::nullopt;
    }
    const auto& epoch = agent->epochs[agent->epoch_of(leaf.seq)];
    if (leaf.keyid != epoch.key.keyid()) {
      fail_agent(*agent, leaf.seq, "epoch", where,
                 "logged under another key than that of its epoch");
    }
    check_end(*agent, leaf, where);
    agent->next_seq = leaf.seq + 1;
    agent->last_id = *hex_decode(leaf.id);
    agent->last_at = at_;
    timelines_.bundles.push_back({index_, at_, timelines_.by_id.find(leaf.agent)->second,
                                  timelines_.log, leaf.seq, timelines_.leaves, agent->last_id,
                                  *hex_decode(leaf.prev), *base64_decode(leaf.sig)});
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Rotate& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    auto key = PublicKey::from_spki(*base64_decode(leaf.key));
    const auto& newest = agent->epochs.back();
    const auto epoch = agent->first_epoch + static_cast<std::int64_t>(agent->epochs.size());
    if (!key || key->keyid() != leaf.keyid || leaf.seq + 1 != agent->next_seq ||
        leaf.epoch != epoch || leaf.keyid_old != newest.key.keyid() ||
        leaf.seq < newest.first_seq) {
      fail_agent(*agent, leaf.seq + 1, "rotate", here(),
                 "the leaf does not follow its bundle's key change");
      return std::nullopt;
    }
    agent->epochs.push_back({leaf.seq + 1, *std::move(key)});
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Revoke& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->revocations.push_back({leaf.keyid, leaf.from_seq, index_});
    if (leaf.from_seq < agent->next_seq &&
        agent->epochs[agent->epoch_of(leaf.from_seq)].key.keyid() == leaf.keyid) {
      fail_agent(*agent, leaf.from_seq, "revoked", fmt::format("{}/{}", leaf.agent, leaf.from_seq),
                 "signed with a key that is revoked from this seq on");
    }
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Decommission& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->last_seq = leaf.last_seq;
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Fork& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->forks.push_back(leaf);
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Drop& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->drops.push_back(leaf);
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Overdue& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->notes[leaf.seq].overdue.push_back(noted(leaf));
    ++timelines_.overdue;
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Recovered& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->notes[leaf.seq].recovered.push_back(noted(leaf));
    return std::nullopt;
  }

  std::optional<Failure> operator()(const leaf::Late& leaf) {
    auto* agent = find(leaf.agent);
    if (agent == nullptr) return unknown(leaf.agent);
    agent->notes[leaf.seq].late.push_back(noted(leaf));
    ++timelines_.late;
    return std::nullopt;
  }
  std::optional<Failure> operator()(const leaf::Approval& leaf) {
    timelines_.approvals.push_back(leaf);
    return std::nullopt;
  }
  std::optional<Failure> operator()(const leaf::Purge& leaf) {
    timelines_.purges.push_back(leaf);
    return std::nullopt;
  }
  std::optional<Failure> operator()(const leaf::Inventory& leaf) {
    timelines_.inventory = {leaf.source, leaf.sha256, leaf.hosts, at_};
    return std::nullopt;
  }
  // What the store's people did: shown by other tools, of no consequence for a chain.
  template <typename Other>
  std::optional<Failure> operator()(const Other&) {
    return std::nullopt;
  }

 private:
  template <class Body>
  Noted<Body> noted(const Body& leaf) const {
    return {index_, timelines_.leaves, at_, leaf};
  }
  AgentTimeline* find(const std::string& id) {
    const auto found = timelines_.by_id.find(id);
    return found == timelines_.by_id.end() ? nullptr : &timelines_.agents[found->second];
  }
  std::optional<Failure> unknown(const std::string& agent) const {
    return Failure{"not-enrolled", here(), "no enrol leaf of " + agent + " before it"};
  }
  std::optional<Failure> enrol(const leaf::Enrol& leaf, std::int64_t first_seq) {
    auto key = PublicKey::from_spki(*base64_decode(leaf.key));
    if (!key) return Failure{"key", here(), key.error().message};
    if (key->keyid() != leaf.keyid) {
      return Failure{"key", here(), "the key id is not that of the key"};
    }
    timelines_.by_id.emplace(leaf.agent, timelines_.agents.size());
    auto& agent = timelines_.agents.emplace_back();
    agent.agent = leaf.agent;
    agent.enrol = leaf;
    agent.enrol_index = index_;
    agent.enrolled_at = at_;
    agent.epochs.push_back({first_seq, *std::move(key)});
    return std::nullopt;
  }
  // Why the chain that is known does not go on so; empty: it does.
  static std::string contradiction(const AgentTimeline& agent, const leaf::Repin& leaf) {
    const auto& newest = agent.epochs.back();
    if (leaf.enrol.machine != agent.enrol.machine) return "it is another machine";
    if (leaf.enrol.keyid != newest.key.keyid() ||
        *base64_decode(leaf.enrol.key) != newest.key.spki() ||
        leaf.epoch != agent.first_epoch + static_cast<std::int64_t>(agent.epochs.size()) - 1) {
      return "it is not the key of the chain's epoch";
    }
    if (leaf.next_seq != agent.next_seq) {
      return fmt::format("it goes on with seq {}, the logs hold the chain up to {}", leaf.next_seq,
                         agent.next_seq);
    }
    if (!agent.last_id.empty() && leaf.prev != hex_encode(agent.last_id)) {
      return "it follows another bundle than the last one in the logs";
    }
    return "";
  }
  [[nodiscard]] std::string here() const {
    return fmt::format("{}leaf {}", timelines_.folder, index_);
  }
  static void check_end(AgentTimeline& agent, const leaf::Bundle& leaf, const std::string& where) {
    if (agent.last_seq && leaf.seq > *agent.last_seq) {
      fail_agent(agent, leaf.seq, "decommissioned", where,
                 "logged after the agent was decommissioned");
    }
    for (const auto& revocation : agent.revocations) {
      // Below from_seq only what was logged before the revocation stays valid.
      if (revocation.keyid == leaf.keyid) {
        fail_agent(agent, leaf.seq, "revoked", where, "signed with a revoked key");
      }
    }
  }

  Timelines& timelines_;
  std::uint64_t index_;
  WallMs at_;
};

}  // namespace

void AgentTimeline::fail_from(std::int64_t seq, Failure found) {
  if (failure && seq >= sound_below) return;
  failure = std::move(found);
  sound_below = seq;
}

std::size_t AgentTimeline::epoch_of(std::int64_t seq) const {
  std::size_t epoch = epochs.size() - 1;
  while (epoch > 0 && epochs[epoch].first_seq > seq) --epoch;
  return epoch;
}

void Timelines::begin_log(std::size_t number, std::string its_folder) {
  log = number;
  folder = std::move(its_folder);
}

std::optional<Failure> Timelines::add(std::uint64_t index, const leaf::Leaf& leaf) {
  if (leaf.at < last_at) {
    return Failure{"at", fmt::format("{}leaf {}", folder, index),
                   "its time is before the leaf before"};
  }
  last_at = leaf.at;
  auto failure = std::visit(Taker(*this, index, leaf.at), leaf.body);
  ++leaves;
  return failure;
}

}  // namespace vouch::verify
