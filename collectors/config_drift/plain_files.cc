// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/plain_files.h"

#include <algorithm>
#include <cstring>

#include "core/digest.h"

namespace vouch::drift {
namespace {

constexpr std::string_view kMagic = "vouch-plain-files 1\n";
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kHeaderBytes = kMagic.size() + sizeof(std::int64_t);
constexpr WallSeconds kAgeMax = 24 * 3600;
constexpr std::int64_t kRacySeconds = 2;

}  // namespace

PlainFiles::Mark PlainFiles::mark_of(const struct stat& status) {
  return {
      status.st_dev, status.st_ino,
      static_cast<std::int64_t>(status.st_ctim.tv_sec) * 1'000'000'000 + status.st_ctim.tv_nsec};
}

bool PlainFiles::has(const struct stat& status) const {
  return std::binary_search(marks_.begin(), marks_.end(), mark_of(status));
}

void PlainFiles::add(const struct stat& status, WallSeconds now) {
  if (status.st_ctim.tv_sec <= now - kRacySeconds) marks_.push_back(mark_of(status));
}

void PlainFiles::sort() {
  std::sort(marks_.begin(), marks_.end());
  marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
}

bool PlainFiles::is_old(WallSeconds now) const {
  // A clock that went back gives nothing a longer life.
  return now < begun_ || now - begun_ >= kAgeMax;
}

std::string PlainFiles::serialize() const {
  static_assert(sizeof(Mark) == 24);
  std::string out(kMagic);
  out.append(reinterpret_cast<const char*>(&begun_), sizeof begun_);
  if (!marks_.empty()) {
    out.append(reinterpret_cast<const char*>(marks_.data()), marks_.size() * sizeof(Mark));
  }
  return out + sha256(out);
}

Result<PlainFiles> PlainFiles::parse(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "the memory of plain files is damaged"};
  if (bytes.size() < kHeaderBytes + kDigestBytes || !bytes.starts_with(kMagic)) return corrupt;
  const std::string_view body = bytes.substr(0, bytes.size() - kDigestBytes);
  const std::string_view marks = body.substr(kHeaderBytes);
  if (sha256(body) != bytes.substr(body.size()) || marks.size() % sizeof(Mark) != 0) {
    return corrupt;
  }
  PlainFiles files(0);
  std::memcpy(&files.begun_, body.data() + kMagic.size(), sizeof files.begun_);
  files.marks_.resize(marks.size() / sizeof(Mark));
  if (!marks.empty()) std::memcpy(files.marks_.data(), marks.data(), marks.size());
  return files;
}

}  // namespace vouch::drift
