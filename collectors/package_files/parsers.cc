// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "collectors/package_files/package_files.h"
#include "core/digest.h"

namespace vouch::package_files {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::string_view kForm = "vouch-good-files-1\n";
constexpr std::size_t kChecksumBytes = 64;

std::string_view cut_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

std::vector<ChecksumLine> parse_md5sums(std::string_view text, std::size_t& bad) {
  std::vector<ChecksumLine> lines;
  while (!text.empty()) {
    const auto line = cut_line(text);
    if (line.empty()) continue;
    // "DIGEST  path"
    const auto digest = line.substr(0, std::min(kDigestBytes, line.size()));
    const bool is_good = line.size() > kDigestBytes + 2 &&
                         digest.find_first_not_of("0123456789abcdef") == digest.npos &&
                         line.substr(kDigestBytes, 2) == "  ";
    if (is_good) {
      lines.push_back({digest, line.substr(kDigestBytes + 2)});
    } else {
      ++bad;
    }
  }
  return lines;
}

Diversions Diversions::parse(std::string_view text) {
  Diversions diversions;
  while (!text.empty()) {  // Three lines each: path, where to, by which package.
    const auto path = cut_line(text);
    const auto to = cut_line(text);
    const auto by = cut_line(text);
    if (!path.empty() && !to.empty())
      diversions.by_path_[std::string(path)] = {std::string(to), std::string(by)};
  }
  return diversions;
}

std::string Diversions::place_of(const std::string& path, std::string_view package) const {
  const auto found = by_path_.find(path);
  // The package that diverts keeps the place.
  if (found == by_path_.end() || found->second.second == package) return path;
  return found->second.first;
}

std::string GoodFiles::serialize() const {
  std::vector<std::uint64_t> sorted(marks_.begin(), marks_.end());
  std::sort(sorted.begin(), sorted.end());
  std::string body(sorted.size() * sizeof(std::uint64_t), '\0');
  if (!sorted.empty()) std::memcpy(body.data(), sorted.data(), body.size());
  return std::string(kForm) + sha256_hex(body) + '\n' + body;
}

Result<GoodFiles> GoodFiles::parse(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "the memory of good files is damaged"};
  if (!bytes.starts_with(kForm)) return corrupt;
  bytes.remove_prefix(kForm.size());
  if (bytes.size() <= kChecksumBytes) return corrupt;
  const auto body = bytes.substr(kChecksumBytes + 1);
  if (bytes.substr(0, kChecksumBytes) != sha256_hex(body) || body.size() % 8 != 0) return corrupt;
  GoodFiles files;
  for (std::size_t i = 0; i < body.size(); i += 8) {
    std::uint64_t mark = 0;
    std::memcpy(&mark, body.data() + i, sizeof mark);
    files.marks_.insert(mark);
  }
  return files;
}

}  // namespace vouch::package_files
