// SPDX-License-Identifier: Apache-2.0
// What `vouch` may ask a running agent to do, beside collecting and sealing (control.h).
#include "agent/vouchd/agent.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kWordsBytesMax = 1024;  // Of who, ticket and reason.

Result<std::string> words(const json::Value& request, std::string_view key, bool required) {
  auto text = json::get_string(request, key);
  if (!text && !required) return std::string();
  if (!text || (required && text->empty())) {
    return Error{Errc::invalid, std::string(key) + ": missing"};
  }
  if (text->size() > kWordsBytesMax) {
    return Error{Errc::invalid, std::string(key) + ": over 1 KiB"};
  }
  return text;
}

json::Value to_json(const ApprovedBaseline& baseline) {
  return json::Object{{"collector", baseline.collector},
                      {"table", baseline.table.name},
                      {"rows", baseline.table.rows},
                      {"sha256", baseline.table.sha256},
                      {"approved", format_second(baseline.approved / 1000)},
                      {"by", baseline.by},
                      {"ticket", baseline.ticket},
                      {"reason", baseline.reason}};
}

}  // namespace

// The collector whose table it is; among instances the caller has to choose.
Result<std::string> Agent::owner_of_table(const std::string& table, const std::string& wanted) {
  std::string owner;
  for (const Collector& collector : collectors_) {
    if (collector.manifest.find(table) == nullptr) continue;
    if (!wanted.empty() && collector.name != wanted) continue;
    if (!owner.empty()) {
      return Error{Errc::invalid, "table " + table + " is one of " + owner + " and of " +
                                      collector.name + ": say which collector"};
    }
    owner = collector.name;
  }
  if (!owner.empty()) return owner;
  return Error{Errc::not_found, "no configured collector" + (wanted.empty() ? "" : " " + wanted) +
                                    " has a table " + table};
}

Result<json::Value> Agent::approve_baseline(const json::Value& request) {
  auto table = words(request, "table", true);
  auto wanted = words(request, "collector", false);
  auto by = words(request, "by", true);
  auto ticket = words(request, "ticket", false);
  auto reason = words(request, "reason", true);
  for (const auto* text : {&table, &wanted, &by, &ticket, &reason}) {
    if (!*text) return text->error();
  }
  auto collector = owner_of_table(*table, *wanted);
  if (!collector) return std::move(collector).error();
  auto known = state_->waiting.collector(*collector);
  if (!known) return std::move(known).error();
  const TableRef* now = known->content ? find_table(known->content->tables, *table) : nullptr;
  if (now == nullptr) {
    return Error{Errc::not_found, "table " + *table + " was not observed yet: collect it first"};
  }
  if (now->error) {
    return Error{Errc::invalid, "table " + *table + " could not be read: " + now->error->code +
                                    ": " + now->error->message};
  }
  ApprovedBaseline baseline;
  baseline.collector = *collector;
  baseline.table.name = *table;
  baseline.table.rows = now->rows;
  baseline.table.sha256 = now->sha256;
  baseline.approved = clock_.wall_ms();
  baseline.by = *std::move(by);
  baseline.ticket = *std::move(ticket);
  baseline.reason = *std::move(reason);
  WaitingRecord waiting;
  waiting.record = Approval{baseline.approved, baseline.table.name, baseline.table.sha256,
                            baseline.by,       baseline.ticket,     baseline.reason};
  waiting.urgent = true;
  auto blobs = state_->blobs_of(waiting.record);
  if (!blobs) return std::move(blobs).error();
  auto done = state_->ledger.transaction(baseline.approved, [&]() -> Status {
    if (auto set = state_->baselines.set(baseline); !set) return set;
    return state_->waiting.add(waiting, *blobs);
  });
  if (!done) return std::move(done).error();
  log::info("baseline of " + *table + " approved by " + baseline.by);
  return json::Value(json::Object{{"ok", true}, {"baseline", to_json(baseline)}});
}

Result<json::Value> Agent::list_baselines() {
  auto baselines = state_->baselines.list();
  if (!baselines) return std::move(baselines).error();
  json::Array list;
  for (const ApprovedBaseline& baseline : *baselines) list.push_back(to_json(baseline));
  return json::Value(json::Object{{"ok", true}, {"baselines", std::move(list)}});
}

Result<json::Value> Agent::rotate_key() {
  sealer_->ask_rotation();
  if (auto sealed = seal(); !sealed) return std::move(sealed).error();
  auto head = state_->ledger.chain_head();
  if (!head) return std::move(head).error();
  return json::Value(json::Object{{"ok", true}, {"epoch", (*head)->link.epoch}});
}

Result<json::Value> Agent::command(std::string_view name, const json::Value& request) {
  if (name == "baselines") return list_baselines();
  if (name == "approve-baseline") return approve_baseline(request);
  if (name == "attach") return attach(request);
  if (name == "attachments") return list_attachments();
  if (name == "rotate-key") return rotate_key();
  return Error{Errc::invalid, "unknown command"};
}

}  // namespace vouch::agent
