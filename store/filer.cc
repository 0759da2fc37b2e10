// SPDX-License-Identifier: Apache-2.0
#include "store/filer.h"

#include <chrono>
#include <iterator>
#include <utility>

#include "core/log.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

// Between two flushes: rare enough that a busy store shares them, short enough that a plain copy of
// the directory is never far behind.
constexpr std::chrono::milliseconds kFlushPeriod{500};
constexpr std::chrono::milliseconds kRetryPeriod{1000};

}  // namespace

Status Filer::recover(Index& index, Disk& disk) {
  auto files = index.waiting_files();
  if (!files) return std::move(files).error().in("recover files");
  if (files->empty()) return Ok{};
  for (const auto& file : *files) {
    auto placed = disk.put_unsynced({file.name, file.bytes});
    if (!placed) return std::move(placed).error().in("recover files");
  }
  auto synced = disk.sync();
  if (!synced) return std::move(synced).error().in("recover files");
  const auto last = files->back().id;
  return index.transaction([&] { return index.forget_waiting_files(last); });
}

Filer::Filer(Disk& disk) : disk_(disk), thread_([this] { run(); }) {}

Filer::~Filer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Filer::add(std::vector<WaitingFile> files) {
  if (files.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.end(), std::make_move_iterator(files.begin()),
                  std::make_move_iterator(files.end()));
  }
  wake_.notify_all();
}

void Filer::set_head(std::string note) {
  {
    const std::lock_guard lock(mutex_);
    head_ = std::move(note);
  }
  wake_.notify_all();
}

bool Filer::backed_up() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + placing_ > kWaitingFilesMax;
}

std::int64_t Filer::placed_through() const {
  const std::lock_guard lock(mutex_);
  return placed_through_;
}

bool Filer::place(const std::vector<WaitingFile>& files, const std::string& head) {
  const auto place_all = [&]() -> Status {
    for (const auto& file : files) {
      if (file.placed) continue;
      auto placed = disk_.put_unsynced({file.name, file.bytes});
      if (!placed) return placed;
    }
    if (!head.empty()) {
      auto placed = disk_.put_unsynced({std::string(layout::kCheckpoint), head});
      if (!placed) return placed;
    }
    return disk_.sync();
  };
  auto placed = place_all();
  if (!placed) log::error("place files: " + placed.error().message + "; trying again");
  return placed.has_value();
}

void Filer::run() {
  std::chrono::steady_clock::time_point last_flush{};
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [this] { return !queue_.empty() || !head_.empty(); };
    wake_.wait(lock, [&] { return stopping_ || has_work(); });
    if (!has_work()) return;
    // Only a flush soon after another waits for company: the files of a quiet store are there at
    // once, and those of a stopping one before it ends.
    wake_.wait_until(lock, last_flush + kFlushPeriod, [this] { return stopping_; });
    std::vector<WaitingFile> files(std::make_move_iterator(queue_.begin()),
                                   std::make_move_iterator(queue_.end()));
    queue_.clear();
    const std::string head = head_;  // Never ahead of the files that it covers.
    placing_ = files.size();
    for (bool placed = false; !placed;) {
      lock.unlock();
      placed = place(files, head);
      lock.lock();
      if (placed && head_ == head) head_.clear();
      if (placed && !files.empty()) placed_through_ = files.back().id;
      if (!placed && stopping_) return;  // The next start places them.
      if (!placed) wake_.wait_for(lock, kRetryPeriod, [this] { return stopping_; });
    }
    placing_ = 0;
    last_flush = std::chrono::steady_clock::now();
  }
}

}  // namespace vouch::store
