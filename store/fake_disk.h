// SPDX-License-Identifier: Apache-2.0
// A Disk in memory for tests: it forgets what was not synced, and fails when told to.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/disk.h"

namespace vouch::store {

class FakeDisk final : public Disk {
 public:
  Status put(const std::vector<File>& files) override {
    for (const auto& file : files) {
      auto allowed = operation();
      if (!allowed) return allowed;
      const std::lock_guard lock(mutex_);
      durable_[file.name] = file.bytes;
      unsynced_.erase(file.name);
    }
    return Ok{};
  }
  Status put_unsynced(const File& file) override {
    auto allowed = operation();
    if (!allowed) return allowed;
    const std::lock_guard lock(mutex_);
    unsynced_[file.name] = file.bytes;
    return Ok{};
  }
  Status sync() override {
    auto allowed = operation();
    if (!allowed) return allowed;
    const std::lock_guard lock(mutex_);
    for (auto& [name, bytes] : unsynced_) durable_[name] = bytes;
    unsynced_.clear();
    return Ok{};
  }
  Result<std::string> get(const std::string& name, std::size_t bytes_max) override {
    const std::lock_guard lock(mutex_);
    for (const auto* files : {&unsynced_, &durable_}) {
      const auto found = files->find(name);
      if (found == files->end()) continue;
      if (found->second.size() > bytes_max) return Error{Errc::too_large, name + ": too large"};
      return found->second;
    }
    return Error{Errc::not_found, name + ": not there"};
  }
  Result<bool> has(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    for (const auto* files : {&unsynced_, &durable_}) {
      const auto found = files->find(name);
      if (found != files->end()) return !found->second.empty();
    }
    return false;
  }

  // As after a loss of power.
  void lose_unsynced() {
    const std::lock_guard lock(mutex_);
    unsynced_.clear();
  }
  // Lets `count` writes through, then fails every one (as a full disk does); -1: never.
  void fail_after(int count) {
    const std::lock_guard lock(mutex_);
    left_ = count;
  }
  void put_raw(const std::string& name, std::string bytes) { durable_[name] = std::move(bytes); }

 private:
  Status operation() {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return Error{Errc::unavailable, "disk full"};
    if (left_ > 0) --left_;
    return Ok{};
  }

  std::mutex mutex_;  // Guards everything below.
  int left_ = -1;
  std::map<std::string, std::string> durable_;
  std::map<std::string, std::string> unsynced_;
};

}  // namespace vouch::store
