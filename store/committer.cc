// SPDX-License-Identifier: Apache-2.0
#include "store/committer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "core/log.h"

namespace vouch::store {
namespace {

constexpr std::chrono::milliseconds kRepublishPeriod{1000};

}  // namespace

Result<std::uint64_t> Batch::append(leaf::Body body) {
  auto entry = leaf::write({at_, std::move(body)});
  if (!entry) return std::move(entry).error().in("log entry");
  entries_.push_back(*std::move(entry));
  return base_ + size_ + entries_.size() - 1;
}

Status Batch::add_file(std::string name, std::string bytes) {
  auto id = index_.add_waiting_file(name, bytes);
  if (!id) return std::move(id).error();
  files_.push_back({*id, std::move(name), std::move(bytes), false});
  return Ok{};
}

Committer::Committer(Index& index, TreeLog& log, Filer& filer, std::uint64_t base, StepHook hook)
    : index_(index), log_(log), filer_(filer), base_(base), hook_(std::move(hook)), thread_([this] {
        run();
      }) {}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Committer::submit(Job job) {
  if (filer_.backed_up()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= kQueuedJobsMax) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void Committer::answer(const std::vector<Job>& jobs, const Status& status) {
  if (!status) log::error("commit: " + status.error().message);
  for (const auto& job : jobs) job.done(status);
}

// The batch's other files are handed on only when the log's are in place: rows of the index are
// forgotten in order, and the head has one writer.
Status Committer::publish() {
  if (unplaced_.empty()) return Ok{};
  auto published = log_.publish();
  if (!published) return published;
  for (auto file = unplaced_.end() - of_log_; file != unplaced_.end(); ++file) {
    file->placed = true;
    file->bytes = std::string();
  }
  filer_.add(std::move(unplaced_));
  filer_.set_head(log_.note());
  unplaced_.clear();
  return Ok{};
}

void Committer::commit_and_answer(const std::vector<Job>& jobs) {
  auto earlier = publish();
  if (!earlier || jobs.empty()) return answer(jobs, earlier);
  const WallMs at = log_.next_at();
  Batch batch(index_, base_, log_.size(), at);
  const std::int64_t placed = filer_.placed_through();
  auto committed = index_.transaction([&]() -> Status {
    if (placed > forgotten_through_) {
      auto forgotten = index_.forget_waiting_files(placed);
      if (!forgotten) return forgotten;
    }
    for (const auto& job : jobs) {
      auto applied = job.apply(batch);
      if (!applied) return applied;
    }
    if (batch.entries().empty()) return Ok{};
    step("stage");
    auto staged = log_.stage(batch.entries(), at);
    if (!staged) return staged;
    for (const auto& file : log_.staged_files()) {
      auto promised = batch.add_file(file.path, file.bytes);
      if (!promised) return promised;
    }
    auto recorded = log_.record(index_);
    step("commit");
    return recorded;
  });
  if (!committed) {
    log_.discard();
    // One job must not be able to spoil the others': they are tried again, each by itself.
    if (jobs.size() > 1) {
      for (const auto& job : jobs) commit_and_answer({job});
      return;
    }
    answer(jobs, committed);
    return;
  }
  forgotten_through_ = std::max(forgotten_through_, placed);
  auto files = batch.take_files();
  if (batch.entries().empty()) {
    filer_.add(std::move(files));
    return answer(jobs, Ok{});
  }
  unplaced_ = std::move(files);
  of_log_ = static_cast<std::ptrdiff_t>(log_.staged_files().size());
  step("publish");
  auto published = publish();
  step("answer");
  answer(jobs, published);
}

void Committer::run() {
  for (;;) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return stopping_ || !queue_.empty(); };
      if (!unplaced_.empty()) {
        wake_.wait_for(lock, kRepublishPeriod, ready);
      } else {
        wake_.wait(lock, ready);
      }
      if (stopping_ && queue_.empty()) return;
      const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kBatchJobsMax));
      jobs.assign(std::make_move_iterator(queue_.begin()),
                  std::make_move_iterator(queue_.begin() + count));
      queue_.erase(queue_.begin(), queue_.begin() + count);
    }
    commit_and_answer(jobs);
  }
}

}  // namespace vouch::store
