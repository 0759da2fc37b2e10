// SPDX-License-Identifier: Apache-2.0
// A cache token over the files that a table is made from: equal tokens, equal files.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/root.h"

namespace vouch::patch_level {

class InputToken {
 public:
  // `now` is the host's time: see text().
  InputToken(const Root& root, WallSeconds now);

  // What may change without being a change: the inode's time of a file that apt touches each time
  // it confirms it.
  enum class Touch { counts, ignored };
  // A file, or that there is none: inode, size, times.
  void add_file(std::string_view path, Touch touch = Touch::counts);
  // The entries of a directory by name, each as a file.
  void add_directory(std::string_view path);
  void add_text(std::string_view text);

  // Empty if there is no safe token: a file was written within the last seconds and may be written
  // again within the same tick of its time stamp, or there are too many files for one token.
  [[nodiscard]] std::string text() const;

 private:
  const Root& root_;
  WallSeconds now_;
  bool is_recent_ = false;
  std::string text_;
};

}  // namespace vouch::patch_level
