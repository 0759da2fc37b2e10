// SPDX-License-Identifier: Apache-2.0
// Remembers the SHA-256 of files by what stat(2) says of them, so that an unchanged file is not
// read again. A hash is trusted for 12 to 24 hours only, spread over the files: a change whose
// ctime was forged is found within a day, and no run re-reads everything.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::drift {

inline constexpr WallSeconds kHashAgeMax = 24 * 3600;

class StatCache {
 public:
  // The raw digest of the file, if it is known and trusted at `now`.
  std::optional<std::string> find(const struct stat& status, WallSeconds now) const;
  // Remembers a file that was hashed between `began` and now. A file that changed less than two
  // seconds before is not kept: it may change again within the same tick of its clock.
  void put(const struct stat& status, std::string_view digest, WallSeconds began);

  // Takes over what `other` knows of the file, with its age, unless it is known here.
  void keep(const StatCache& other, const struct stat& status);

  // When the first entry stops being trusted; far in the future if there is none.
  [[nodiscard]] WallSeconds earliest_due() const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // The state of the tree that the cache was written for; see file_hashes_table().
  std::string token;

  // A private format with a checksum. parse() refuses (Errc::corrupt) anything else.
  [[nodiscard]] std::string serialize() const;
  static Result<StatCache> parse(std::string_view bytes);
  // The first two facts of a serialized cache, from its first kHeadBytes bytes, unchecked.
  struct Head {
    std::string token;
    WallSeconds earliest_due = 0;
  };
  static constexpr std::size_t kHeadBytes = 99;
  static std::optional<Head> parse_head(std::string_view bytes);

 private:
  struct Entry {
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    std::int64_t hashed = 0;  // Seconds since 1970.
    std::string digest;
  };
  struct Key {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>(key.inode * 0x9E3779B97F4A7C15u ^ key.device);
    }
  };
  static WallSeconds due(const Key& key, const Entry& entry);

  std::unordered_map<Key, Entry, KeyHash> entries_;
};

}  // namespace vouch::drift
