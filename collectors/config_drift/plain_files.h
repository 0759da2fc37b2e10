// SPDX-License-Identifier: Apache-2.0
// Remembers which files had neither access list nor flag, by what stat(2) said of them then: a
// change of either is a change of ctime, so they need not be asked again. Forgotten after a day,
// since who sets the clock can set ctime.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::drift {

class PlainFiles {
 public:
  // Empty, begun at `now`.
  explicit PlainFiles(WallSeconds now) : begun_(now) {}

  [[nodiscard]] bool has(const struct stat& status) const;
  // A file that changed less than two seconds before `now` is left out: it may change again within
  // the same tick of its clock.
  void add(const struct stat& status, WallSeconds now);
  // To be called once, after the last add() and before the first has().
  void sort();

  [[nodiscard]] std::size_t size() const { return marks_.size(); }
  // With the age of `older`, which it takes the place of.
  void keep_age(const PlainFiles& older) { begun_ = older.begun_; }
  [[nodiscard]] bool is_old(WallSeconds now) const;
  bool operator==(const PlainFiles&) const = default;

  // A private format with a checksum. parse() refuses (Errc::corrupt) anything else.
  [[nodiscard]] std::string serialize() const;
  static Result<PlainFiles> parse(std::string_view bytes);

 private:
  struct Mark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    auto operator<=>(const Mark&) const = default;
  };
  static Mark mark_of(const struct stat& status);

  WallSeconds begun_;
  std::vector<Mark> marks_;
};

}  // namespace vouch::drift
