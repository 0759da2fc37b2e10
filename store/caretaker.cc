// SPDX-License-Identifier: Apache-2.0
#include "store/caretaker.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "core/log.h"

namespace vouch::store {
namespace {

constexpr std::chrono::milliseconds kOrdersPeriod{500};
constexpr std::chrono::seconds kAlertsPeriod{5};
constexpr std::chrono::seconds kSilencePeriod{30};
constexpr std::int64_t kSilentAtOnceMax = 512;  // Of one batch; the others come with the next.

}  // namespace

void Caretaker::start() {
  thread_ = std::thread([this] { run(); });
}

void Caretaker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Caretaker::run() {
  auto silence_due = std::chrono::steady_clock::now();
  auto alerts_due = silence_due;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    auto carried = carry_out_orders();
    if (!carried) log::error("orders: " + carried.error().message);
    if (std::chrono::steady_clock::now() >= silence_due) {
      auto noted = note_silence();
      if (!noted) log::error("silence: " + noted.error().message);
      silence_due = std::chrono::steady_clock::now() + kSilencePeriod;
    }
    if (std::chrono::steady_clock::now() >= alerts_due) {
      auto told = tell();
      if (!told) log::error("alerts: " + told.error().message);
      alerts_due = std::chrono::steady_clock::now() + kAlertsPeriod;
    }
    lock.lock();
    wake_.wait_for(lock, kOrdersPeriod, [this] { return stopping_; });
  }
}

Status Caretaker::commit(std::function<Status(Batch&)> apply) {
  std::promise<Status> end;
  Job job;
  job.apply = std::move(apply);
  job.done = [&end](const Status& status) { end.set_value(status); };
  if (!committer_.submit(std::move(job))) return Error{Errc::unavailable, "the store is busy"};
  return end.get_future().get();
}

Status Caretaker::note_silence() {
  {
    auto index = readers_.lend();
    if (!index) return std::move(index).error();
    auto silent = (*index)->silent_agents(clock_.wall_ms(), grace_ms_, 1);
    if (!silent) return std::move(silent).error();
    if (silent->empty()) return Ok{};
  }
  return commit([this](Batch& batch) -> Status {
    // Asked again: a bundle may have come in the meantime.
    auto silent = batch.index().silent_agents(batch.at(), grace_ms_, kSilentAtOnceMax);
    if (!silent) return std::move(silent).error();
    for (const auto& agent : *silent) {
      const auto& id = agent.link.agent;
      auto leaf =
          batch.append(leaf::Overdue{id, agent.link.next_seq, agent.next_due, grace_ms_ / 1000});
      if (!leaf) return std::move(leaf).error();
      auto lateness = batch.index().lateness(id);
      if (!lateness) return std::move(lateness).error();
      lateness->overdue_leaf = *leaf;
      auto set = batch.index().set_lateness(id, *lateness);
      if (!set) return set;
      log::warn("agent " + id + " (" + agent.host + ") has gone quiet: bundle " +
                std::to_string(agent.link.next_seq) + " was due " + format_instant(agent.next_due));
    }
    return Ok{};
  });
}

Status Caretaker::tell() {
  if (alerts_ == nullptr) return Ok{};
  auto index = readers_.lend();
  if (!index) return std::move(index).error();
  return alerts_->tick(**index, *disk_);
}

Result<OrderAnswer> Caretaker::carry_out(const Order& order) {
  OrderAnswer answer;
  auto committed = commit([&](Batch& batch) -> Status {
    auto applied = apply_order(order, batch);
    if (!applied) return std::move(applied).error();
    answer = *std::move(applied);
    return Ok{};
  });
  if (!committed) return std::move(committed).error();
  return answer;
}

Status Caretaker::carry_out_orders() {
  std::vector<OrderRow> rows;
  {
    auto index = readers_.lend();
    if (!index) return std::move(index).error();
    auto open = (*index)->open_orders();
    if (!open) return std::move(open).error();
    rows = *std::move(open);
  }
  for (const auto& row : rows) {
    auto committed = commit([&](Batch& batch) -> Status {
      auto open = batch.index().open_orders();
      if (!open) return std::move(open).error();
      const auto same = [&row](const OrderRow& other) { return other.id == row.id; };
      if (std::none_of(open->begin(), open->end(), same)) return Ok{};  // Withdrawn.
      const auto order = parse_order(row.body);
      Result<OrderAnswer> answer = OrderAnswer{false, order ? "" : order.error().message};
      if (order) answer = apply_order(*order, batch);
      if (!answer) return std::move(answer).error();
      return batch.index().answer_order(row.id, write_answer(*answer));
    });
    if (!committed) return committed;
  }
  return Ok{};
}

}  // namespace vouch::store
