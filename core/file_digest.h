// SPDX-License-Identifier: Apache-2.0
// The SHA-256 of files, executables above all: what is on record as having run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/file.h"
#include "core/result.h"

namespace vouch {

inline constexpr std::size_t kExecutableBytesMax = 256u << 20;

// As 64 hex digits, of a regular file of at most kExecutableBytesMax, without holding it in memory.
Result<std::string> file_digest(const std::string& path);
// The same of an open file, from its beginning; `path` is for the message.
Result<std::string> file_digest(int fd, const std::string& path);

// What tells one file from another without reading it. Whoever cannot set the clock, or is not
// root, cannot forge the time of its last change.
struct FileMark {
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
  bool operator==(const FileMark&) const = default;
  [[nodiscard]] std::string text() const;  // The five numbers in decimal, ":" between.
};
Result<FileMark> file_mark(int fd, const std::string& path);
Result<FileMark> file_mark(const std::string& path);

struct KnownFile {
  FileMark mark;
  std::string digest;
};

// Reads a file again only if its mark is another one than the last time. Not safe from several
// threads.
class FileDigests {
 public:
  Result<KnownFile> of(const std::string& path);
  // What somebody else has read: believed for as long as the file has that mark.
  void learn(const std::string& path, KnownFile known);

 private:
  std::map<std::string, KnownFile> known_;
};

}  // namespace vouch
