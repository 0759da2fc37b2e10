// SPDX-License-Identifier: Apache-2.0
// Puts the small files of committed batches in their places. They are durable already, as rows of
// the index in the batch's own transaction; so thousands of them can share one flush of the file
// system, and none delays a receipt.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "core/result.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

inline constexpr std::size_t kWaitingFilesMax = 20000;  // More: the store is busy.

class Filer {
 public:
  // At start, before anything else: places what a crash left waiting, and forgets it.
  static Status recover(Index& index, Disk& disk);

  explicit Filer(Disk& disk);  // Starts its thread. `disk` must outlive it.
  ~Filer();                    // Places what waits, and stops.
  Filer(const Filer&) = delete;
  Filer& operator=(const Filer&) = delete;

  void add(std::vector<WaitingFile> files);  // In ascending order of id.
  // The log's head, for those who read the directory: written with the next flush. Not at each
  // batch, since a file that is replaced frees an inode, and ext4 looks at every one that was freed
  // in the last minutes before it takes a new one.
  void set_head(std::string note);
  [[nodiscard]] bool backed_up() const;
  // The rows up to this id are in place and synced: the committer may forget them.
  [[nodiscard]] std::int64_t placed_through() const;

 private:
  void run();
  bool place(const std::vector<WaitingFile>& files, const std::string& head);

  Disk& disk_;
  mutable std::mutex mutex_;  // Guards everything below but the thread.
  std::condition_variable wake_;
  std::deque<WaitingFile> queue_;
  std::string head_;  // Empty: written.
  std::size_t placing_ = 0;
  std::int64_t placed_through_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::store
