// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/stat_cache.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/digest.h"

namespace vouch::drift {
namespace {

constexpr std::string_view kMagic = "vouch-stat-cache 1\n";
constexpr std::size_t kTokenBytes = 64;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kRecordBytes = 6 * 8 + kDigestBytes;
constexpr std::size_t kHeaderBytes = kMagic.size() + kTokenBytes + 2 * 8;
constexpr std::int64_t kRacySeconds = 2;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void append(std::string& out, std::int64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, sizeof bytes);
  out.append(bytes, sizeof bytes);
}

std::int64_t take(std::string_view& bytes) {
  std::int64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

}  // namespace

// Between half an age and a whole one after hashing, different for each file.
WallSeconds StatCache::due(const Key& key, const Entry& entry) {
  const std::size_t spread = KeyHash()(key) % static_cast<std::size_t>(kHashAgeMax / 2);
  return entry.hashed + kHashAgeMax / 2 + static_cast<WallSeconds>(spread);
}

std::optional<std::string> StatCache::find(const struct stat& status, WallSeconds now) const {
  const Key key{status.st_dev, status.st_ino};
  const auto known = entries_.find(key);
  if (known == entries_.end()) return {};
  const Entry& entry = known->second;
  const bool is_same = entry.size == status.st_size &&
                       entry.modified_ns == nanoseconds(status.st_mtim) &&
                       entry.changed_ns == nanoseconds(status.st_ctim);
  // A clock that went back gives no hash a longer life.
  if (!is_same || now >= due(key, entry) || now < entry.hashed) return {};
  return entry.digest;
}

void StatCache::put(const struct stat& status, std::string_view digest, WallSeconds began) {
  const Key key{status.st_dev, status.st_ino};
  if (status.st_ctim.tv_sec > began - kRacySeconds || digest.size() != kDigestBytes) {
    entries_.erase(key);
    return;
  }
  entries_[key] = {status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim), began,
                   std::string(digest)};
}

void StatCache::keep(const StatCache& other, const struct stat& status) {
  const Key key{status.st_dev, status.st_ino};
  const auto known = other.entries_.find(key);
  if (known != other.entries_.end()) entries_.try_emplace(key, known->second);
}

WallSeconds StatCache::earliest_due() const {
  WallSeconds earliest = std::numeric_limits<WallSeconds>::max();
  for (const auto& [key, entry] : entries_) earliest = std::min(earliest, due(key, entry));
  return earliest;
}

std::string StatCache::serialize() const {
  std::string out;
  out.reserve(kHeaderBytes + entries_.size() * kRecordBytes + kDigestBytes);
  out += kMagic;
  std::string padded = token;
  padded.resize(kTokenBytes, ' ');
  out += padded;
  append(out, earliest_due());
  append(out, static_cast<std::int64_t>(entries_.size()));
  for (const auto& [key, entry] : entries_) {
    append(out, static_cast<std::int64_t>(key.device));
    append(out, static_cast<std::int64_t>(key.inode));
    append(out, entry.size);
    append(out, entry.modified_ns);
    append(out, entry.changed_ns);
    append(out, entry.hashed);
    out += entry.digest;
  }
  return out + sha256(out);
}

std::optional<StatCache::Head> StatCache::parse_head(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return {};
  bytes.remove_prefix(kMagic.size());
  std::string token(bytes.substr(0, kTokenBytes));
  token.erase(token.find_last_not_of(' ') + 1);
  bytes.remove_prefix(kTokenBytes);
  return Head{std::move(token), take(bytes)};
}

Result<StatCache> StatCache::parse(std::string_view bytes) {
  const auto head = parse_head(bytes);
  if (!head || bytes.size() < kHeaderBytes + kDigestBytes) {
    return Error{Errc::corrupt, "is no stat cache"};
  }
  const std::string_view body = bytes.substr(0, bytes.size() - kDigestBytes);
  if (sha256(body) != bytes.substr(body.size())) {
    return Error{Errc::corrupt, "the stat cache does not have its checksum"};
  }
  std::string_view rest = body.substr(kHeaderBytes - 8);
  const std::int64_t count = take(rest);
  if (count < 0 || rest.size() % kRecordBytes != 0 ||
      rest.size() / kRecordBytes != static_cast<std::size_t>(count)) {
    return Error{Errc::corrupt, "the stat cache has another length than it says"};
  }
  StatCache cache;
  cache.token = head->token;
  cache.entries_.reserve(static_cast<std::size_t>(count));
  while (!rest.empty()) {
    Key key;
    key.device = static_cast<std::uint64_t>(take(rest));
    key.inode = static_cast<std::uint64_t>(take(rest));
    Entry entry;
    entry.size = take(rest);
    entry.modified_ns = take(rest);
    entry.changed_ns = take(rest);
    entry.hashed = take(rest);
    entry.digest = std::string(rest.substr(0, kDigestBytes));
    rest.remove_prefix(kDigestBytes);
    cache.entries_.emplace(key, std::move(entry));
  }
  return cache;
}

}  // namespace vouch::drift
