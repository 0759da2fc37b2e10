// SPDX-License-Identifier: Apache-2.0
// What one sender, and all of them together, may take: quotas per agent and hour, and memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"

namespace vouch::store {

struct Quota {
  std::int64_t bytes = std::int64_t{2} << 30;
  std::int64_t parcels = 3600;
};

// Counts per agent and full hour. Kept in memory: a restart forgives. Safe from any thread.
class QuotaBook {
 public:
  explicit QuotaBook(Quota quota) : quota_(quota) {}

  struct Exceeded {
    std::string unit;  // "bytes" or "parcels"
    std::int64_t limit = 0;
  };
  // Counts one parcel of `bytes`, unless that exceeds the quota.
  std::optional<Exceeded> charge(std::string_view agent, std::int64_t bytes, WallMs now);
  // Further bytes of a parcel that has been counted.
  std::optional<Exceeded> charge_more(std::string_view agent, std::int64_t bytes, WallMs now);

 private:
  struct Used {
    std::int64_t bytes = 0;
    std::int64_t parcels = 0;
  };
  std::optional<Exceeded> add(std::string_view agent, std::int64_t bytes, std::int64_t parcels,
                              WallMs now);

  const Quota quota_;
  std::mutex mutex_;  // Guards everything below.
  std::int64_t hour_ = 0;
  std::unordered_map<std::string, Used> used_;
};

// Memory for blobs that are being received, over all connections.
class ByteBudget {
 public:
  explicit ByteBudget(std::int64_t bytes) : left_(bytes) {}
  [[nodiscard]] bool take(std::int64_t bytes) {
    if (left_.fetch_sub(bytes) >= bytes) return true;
    left_.fetch_add(bytes);
    return false;
  }
  void give_back(std::int64_t bytes) { left_.fetch_add(bytes); }

 private:
  std::atomic<std::int64_t> left_;
};

}  // namespace vouch::store
