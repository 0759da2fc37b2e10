// SPDX-License-Identifier: Apache-2.0
// Group commit: the one thread that changes index and log. Jobs that arrive while a batch is being
// made durable form the next one, so the price of an fsync is shared by all who wait for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.h"
#include "proto/leaf.h"
#include "store/filer.h"
#include "store/index.h"
#include "store/receipts.h"
#include "store/tree_log.h"

namespace vouch::store {

inline constexpr std::size_t kQueuedJobsMax = 4096;
inline constexpr std::size_t kBatchJobsMax = 1024;

// What a job may do inside the transaction of its batch.
class Batch {
 public:
  // `base`: number of the log's first leaf, see EarlierLog.
  Batch(Index& index, std::uint64_t base, std::uint64_t size, WallMs at)
      : index_(index), base_(base), size_(size), at_(at) {}

  Index& index() { return index_; }
  [[nodiscard]] WallMs at() const { return at_; }  // The `at` of every entry of this batch.
  // Appends an entry to the log. Returns its number.
  Result<std::uint64_t> append(leaf::Body body);
  // The index in this log of a leaf's number; nothing if it is in an earlier one.
  [[nodiscard]] std::optional<std::uint64_t> index_of(std::uint64_t number) const {
    return number < base_ ? std::nullopt : std::optional(number - base_);
  }
  // A file that is durable with the batch, and in its place soon after.
  Status add_file(std::string name, std::string bytes);

  [[nodiscard]] const std::vector<std::string>& entries() const { return entries_; }
  std::vector<WaitingFile> take_files() { return std::move(files_); }

 private:
  Index& index_;
  std::uint64_t base_;
  std::uint64_t size_;
  WallMs at_;
  std::vector<std::string> entries_;
  std::vector<WaitingFile> files_;
};

struct Job {
  // Called on the committer's thread, in the transaction. Decides on what the index says *now*. An
  // error is the database's, and fails the whole batch; a refusal is the job's own affair.
  std::function<Status(Batch&)> apply;
  // Called once: when all of the batch is durable and its checkpoint is out, or with the reason why
  // not. Must be quick: it holds up the next batch. (apply may have been called more than once.)
  std::function<void(Status)> done;
};

class Committer {
 public:
  // Starts its thread. All arguments must outlive it. The hook is told of the steps of a batch
  // before they are taken, for crash tests.
  Committer(Index& index, TreeLog& log, Filer& filer, std::uint64_t base = 0,
            StepHook hook = nullptr);
  ~Committer() { stop(); }
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // False, and nothing is called: the store is busy.
  [[nodiscard]] bool submit(Job job);

  // Finishes what is queued; then submit() says false.
  void stop();

 private:
  void run();
  Status publish();
  void commit_and_answer(const std::vector<Job>& jobs);
  static void answer(const std::vector<Job>& jobs, const Status& status);
  void step(std::string_view name) const {
    if (hook_) hook_(name);
  }

  Index& index_;
  TreeLog& log_;
  Filer& filer_;
  const std::uint64_t base_;
  const StepHook hook_;
  std::int64_t forgotten_through_ = 0;
  // The files of a committed batch that is not published yet, the log's own last. While that fails,
  // no other batch is begun.
  std::vector<WaitingFile> unplaced_;
  std::ptrdiff_t of_log_ = 0;
  std::mutex mutex_;  // Guards queue_ and stopping_.
  std::condition_variable wake_;
  std::vector<Job> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::store
