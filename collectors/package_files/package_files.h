// SPDX-License-Identifier: Apache-2.0
// Files of Debian packages against the checksums that the packages brought along: what
// `dpkg --verify` says. Configuration files have a table of their own. A collector of its own, once
// a day: its first run reads every file of every package; the next ones only what changed since (a
// stat cache).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "collectors/sdk/manifest.h"
#include "core/result.h"

namespace vouch::package_files {

sdk::Collector make_package_files();

struct ChecksumLine {
  std::string_view digest;  // MD5, 32 hex digits.
  std::string_view path;    // Without the slash at its beginning.
};
// The lines of PACKAGE.md5sums that are some; `bad` counts the others.
std::vector<ChecksumLine> parse_md5sums(std::string_view text, std::size_t& bad);

// A configuration file of a package, by the field Conffiles of dpkg's status file.
struct Conffile {
  std::string package;  // "libc6:amd64" where several architectures may be installed.
  std::string path;
  std::string digest;        // MD5 of what the package brought; empty: not known (newconffile).
  bool is_obsolete = false;  // The package has it no more.
};
// Those of the packages that are installed, removed ones whose configuration is left included.
// Lines that are none are counted in `bad`.
std::vector<Conffile> parse_conffiles(std::string_view status, std::size_t& bad);

// dpkg-divert(1): where a file of a package really is.
class Diversions {
 public:
  static Diversions parse(std::string_view text);
  // `path` with a slash at its beginning.
  [[nodiscard]] std::string place_of(const std::string& path, std::string_view package) const;

 private:
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> by_path_;  // To, by whom.
};

// Which files were found good, by path, checksum and what stat(2) said of them then.
class GoodFiles {
 public:
  [[nodiscard]] bool has(std::uint64_t mark) const { return marks_.contains(mark); }
  void add(std::uint64_t mark) { marks_.insert(mark); }
  [[nodiscard]] std::string serialize() const;
  static Result<GoodFiles> parse(std::string_view bytes);  // Errc::corrupt: anything else.

 private:
  std::unordered_set<std::uint64_t> marks_;
};

// MD5 of the open file, in hex; `path` is for messages.
Result<std::string> md5_of(int fd, const std::string& path);

sdk::Table modified_conffiles_table();

}  // namespace vouch::package_files
