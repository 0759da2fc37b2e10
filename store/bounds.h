// SPDX-License-Identifier: Apache-2.0
// What one sender, and all of them together, may take: quotas per agent and hour, memory, and
// connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
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

  static Quota none() {
    return {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()};
  }
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

inline constexpr std::size_t kConnectionsMax = 1024;
inline constexpr std::size_t kConnectionsPerClientMax = 256;

// Whom a connection counts against, by its peer's address as text. The addresses of one IPv6 /64
// are one client, since one host has them all.
std::string client_name(const std::string& address);

// Places for connections. One client has at most so many, and the last quarter of all places is for
// clients that hold few, so that neither one client nor a handful shut out the others. For one
// thread.
class ConnectionBook {
 public:
  static constexpr std::size_t kFew = 4;

  ConnectionBook(std::size_t connections_max, std::size_t per_client_max)
      : connections_max_(connections_max), per_client_max_(per_client_max) {}

  // False: no place for it.
  [[nodiscard]] bool enter(const std::string& client);
  void leave(const std::string& client);  // Once for each enter() that said true.
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  const std::size_t connections_max_;
  const std::size_t per_client_max_;
  std::size_t count_ = 0;
  std::unordered_map<std::string, std::size_t> held_;  // No zeros: bounded by count_.
};

}  // namespace vouch::store
