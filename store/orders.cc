// SPDX-License-Identifier: Apache-2.0
#include "store/orders.h"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "core/digest.h"
#include "core/json.h"
#include "core/zstd.h"
#include "proto/leaf.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::chrono::milliseconds kAnswerPoll{50};
constexpr std::chrono::seconds kAnswerPatience{30};
constexpr std::array<std::string_view, 3> kActs{"revoke", "decommission", "drop"};

OrderAnswer refuse(std::string message) {
  return {false, std::move(message)};
}

std::string leaf_text(std::uint64_t number, const Batch& batch) {
  const auto index = batch.index_of(number);
  return index ? std::to_string(*index) : "of an earlier log";
}

// The text as a blob; the leaf names its digest.
Result<std::string> keep_note(const std::string& text, Batch& batch) {
  if (text.empty()) return std::string(kEmptyDigestHex);
  std::string digest = sha256_hex(text);
  auto added = batch.index().add_blob(digest, static_cast<std::int64_t>(text.size()));
  if (added) added = batch.add_file(layout::blob_path(digest), zstd::compress(text));
  if (!added) return std::move(added).error();
  return digest;
}

Result<OrderAnswer> revoke(const Order& order, Agent agent, const std::string& keyid,
                           Batch& batch) {
  const auto from = order.seq.value_or(agent.link.next_seq);
  auto note = keep_note(order.reason, batch);
  if (!note) return std::move(note).error();
  auto leaf = batch.append(leaf::Revoke{agent.link.agent, keyid, from, order.by, *note});
  if (!leaf) return std::move(leaf).error();
  auto revoked = batch.index().revoke_key(keyid, from);
  if (!revoked) return std::move(revoked).error();
  auto current = batch.index().keyid_of_epoch(agent.link.agent, agent.link.epoch);
  if (!current) return std::move(current).error();
  if (*current == keyid && from <= agent.link.next_seq) {
    agent.state = AgentState::revoked;
    auto updated = batch.index().update_agent(agent);
    if (!updated) return std::move(updated).error();
  }
  return OrderAnswer{true, "key " + keyid + " of agent " + agent.link.agent +
                               " is revoked from bundle " + std::to_string(from) + " on, leaf " +
                               leaf_text(*leaf, batch)};
}

Result<OrderAnswer> decommission(const Order& order, Agent agent, Batch& batch) {
  if (agent.state == AgentState::decommissioned) {
    return refuse("agent " + agent.link.agent + " is decommissioned already");
  }
  auto note = keep_note(order.reason, batch);
  if (!note) return std::move(note).error();
  const std::int64_t last = agent.link.next_seq == 0 ? 0 : agent.link.next_seq - 1;
  auto leaf = batch.append(leaf::Decommission{agent.link.agent, last, order.by, *note});
  if (!leaf) return std::move(leaf).error();
  agent.state = AgentState::decommissioned;
  auto updated = batch.index().update_agent(agent);
  if (!updated) return std::move(updated).error();
  return OrderAnswer{true, "agent " + agent.link.agent + " (" + agent.host +
                               ") is decommissioned after bundle " + std::to_string(last) +
                               ", leaf " + leaf_text(*leaf, batch)};
}

Result<OrderAnswer> drop(const Order& order, const Agent& agent, Batch& batch) {
  const auto seq = order.seq.value_or(agent.link.next_seq);
  if (seq > agent.link.next_seq) {
    return refuse("bundle " + std::to_string(agent.link.next_seq) + " must come first");
  }
  auto drops = batch.index().drops(agent.link.agent, seq);
  if (!drops) return std::move(drops).error();
  for (const auto& row : *drops) {
    if (row.statement.empty())
      return refuse("that was said already, leaf " + leaf_text(row.leaf, batch));
  }
  auto leaf = batch.append(leaf::Drop{agent.link.agent, seq, std::nullopt, order.by});
  if (!leaf) return std::move(leaf).error();
  auto added = batch.index().add_drop({agent.link.agent, seq, "", *leaf, {}});
  if (!added) return std::move(added).error();
  return OrderAnswer{true, "bundle " + std::to_string(seq) + " of agent " + agent.link.agent +
                               " is taken without the blobs that are not there, leaf " +
                               leaf_text(*leaf, batch)};
}

}  // namespace

std::string write_order(const Order& order) {
  json::Object object{{"act", kActs[static_cast<std::size_t>(order.act)]},
                      {"agent", order.agent},
                      {"keyid", order.keyid},
                      {"by", order.by},
                      {"reason", order.reason}};
  if (order.seq) object.emplace("seq", *order.seq);
  return json::write(object);
}

Result<Order> parse_order(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return std::move(value).error();
  Order order;
  std::string act;
  struct Text {
    const char* key;
    std::string* target;
  };
  for (const auto& [key, target] :
       {Text{"act", &act}, Text{"agent", &order.agent}, Text{"keyid", &order.keyid},
        Text{"by", &order.by}, Text{"reason", &order.reason}}) {
    auto member = json::get_string(*value, key);
    if (!member) return std::move(member).error();
    *target = *std::move(member);
  }
  std::size_t i = 0;
  while (i < kActs.size() && act != kActs[i]) ++i;
  if (i == kActs.size()) return Error{Errc::invalid, "unknown act \"" + act + "\""};
  order.act = static_cast<Order::Act>(i);
  if (value->find("seq") != nullptr) {
    auto seq = json::get_integer(*value, "seq");
    if (!seq) return std::move(seq).error();
    order.seq = *seq;
  }
  return order;
}

std::string write_answer(const OrderAnswer& answer) {
  return json::write(json::Object{{"done", answer.done}, {"message", answer.message}});
}

Result<OrderAnswer> parse_answer(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return std::move(value).error();
  auto done = json::get_bool(*value, "done");
  auto message = json::get_string(*value, "message");
  if (!done || !message) return Error{Errc::corrupt, "no answer: " + std::string(text)};
  return OrderAnswer{*done, *std::move(message)};
}

Result<OrderAnswer> apply_order(const Order& order, Batch& batch) {
  auto& index = batch.index();
  auto account = index.account_known(order.by);
  if (!account) return std::move(account).error();
  if (!*account) return refuse("no account \"" + order.by + "\"");
  std::string id = order.agent;
  std::string keyid = order.keyid;
  if (!keyid.empty()) {
    auto key = index.find_key(keyid);
    if (!key) return std::move(key).error();
    if (!*key) return refuse("no agent has the key " + keyid);
    id = (*key)->agent;
  }
  auto agent = index.find_agent(id);
  if (!agent) return std::move(agent).error();
  if (!*agent) return refuse("no agent " + id + "; see `vouch-store hosts`");
  switch (order.act) {
    case Order::Act::decommission:
      return decommission(order, **std::move(agent), batch);
    case Order::Act::drop:
      return drop(order, **agent, batch);
    case Order::Act::revoke:
      break;
  }
  if (keyid.empty()) {
    auto current = index.keyid_of_epoch(id, (*agent)->link.epoch);
    if (!current) return std::move(current).error();
    if (!*current) return Error{Errc::corrupt, "agent " + id + " without a key in the index"};
    keyid = **std::move(current);
  }
  return revoke(order, **std::move(agent), keyid, batch);
}

Result<OrderAnswer> carry_out(const std::string& dir, const Clock& clock, const Order& order) {
  StoreOptions options;
  options.timer = false;
  auto store = Store::open(dir, clock, options);
  if (store) {
    auto answer = (*store)->carry_out(order);
    (*store)->stop();
    return answer;
  }
  if (store.error().code != Errc::exists) return std::move(store).error();

  auto index = Index::open(dir + "/" + std::string(layout::kDatabase));
  if (!index) return std::move(index).error();
  auto id = index->add_order(write_order(order));
  if (!id) return std::move(id).error();
  const auto deadline = std::chrono::steady_clock::now() + kAnswerPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    auto answer = index->take_answer(*id);
    if (!answer) return std::move(answer).error();
    if (*answer) return parse_answer(**answer);
    std::this_thread::sleep_for(kAnswerPoll);
  }
  auto withdrawn = index->withdraw_order(*id);
  if (!withdrawn) return std::move(withdrawn).error();
  if (*withdrawn) {
    return Error{Errc::unavailable,
                 "the serving store did not answer: nothing was done; see its log"};
  }
  auto answer = index->take_answer(*id);  // It came in the last moment.
  if (!answer) return std::move(answer).error();
  if (!*answer) return Error{Errc::corrupt, "the order is gone, without an answer"};
  return parse_answer(**answer);
}

}  // namespace vouch::store
