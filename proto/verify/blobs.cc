// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/blobs.h"

#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "proto/limits.h"
#include "proto/table.h"
#include "proto/verify/parallel.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kSmallBlobBytes = 256 * kKiB;
constexpr std::size_t kSmallBytesMax = 64 * kMiB;
constexpr std::size_t kParsedMax = 4096;  // Outcomes tables and schedules kept.
constexpr std::size_t kBatch = 64;        // Blobs held in memory at once while hashing.

}  // namespace

Result<std::string> Blobs::fetch(std::string_view sha256) const {
  if (sha256 == kEmptyDigestHex) return std::string();
  auto blob = source_(sha256);
  if (!blob) {
    if (blob.error().code == Errc::not_found) return blob;
    return Error{Errc::corrupt, std::move(blob).error().message};
  }
  if (sha256_hex(*blob) != sha256) return Error{Errc::corrupt, "its bytes have another digest"};
  return blob;
}

Blobs::Facts& Blobs::remember(std::string_view sha256, const Result<std::string>& blob) {
  const auto [place, is_new] = facts_.try_emplace(std::string(sha256));
  auto& facts = place->second;
  if (!blob) {
    facts.error = blob.error();
    return facts;
  }
  if (is_new) {
    ++count_;
    bytes_ += static_cast<std::int64_t>(blob->size());
  }
  if (blob->size() <= kSmallBlobBytes && !small_.contains(place->first)) {
    if (small_bytes_ + blob->size() > kSmallBytesMax) {
      small_.clear();
      small_bytes_ = 0;
    }
    small_.emplace(place->first, *blob);
    small_bytes_ += blob->size();
  }
  return facts;
}

void Blobs::check(std::vector<std::string> digests) {
  std::erase_if(digests, [&](const auto& digest) { return facts_.contains(digest); });
  for (std::size_t begin = 0; begin < digests.size(); begin += kBatch) {
    const auto count = std::min(kBatch, digests.size() - begin);
    std::vector<std::optional<Result<std::string>>> fetched(count);
    parallel_for(count, threads_, [&](std::size_t i) { fetched[i] = fetch(digests[begin + i]); });
    for (std::size_t i = 0; i < count; ++i) remember(digests[begin + i], *fetched[i]);
  }
}

Result<std::string> Blobs::read(std::string_view sha256) {
  const std::string key(sha256);
  if (const auto small = small_.find(key); small != small_.end()) return small->second;
  if (const auto known = facts_.find(key); known != facts_.end() && known->second.error) {
    return *known->second.error;
  }
  auto blob = fetch(sha256);
  remember(sha256, blob);
  return blob;
}

Status Blobs::state(std::string_view sha256) {
  const auto known = facts_.find(std::string(sha256));
  if (known != facts_.end()) {
    if (known->second.error) return *known->second.error;
    return Ok{};
  }
  auto blob = read(sha256);
  if (!blob) return std::move(blob).error();
  return Ok{};
}

Result<std::int64_t> Blobs::rows(std::string_view sha256) {
  const auto known = facts_.find(std::string(sha256));
  if (known != facts_.end() && known->second.rows) return *known->second.rows;
  const auto blob = read(sha256);
  if (!blob) return blob.error();
  auto rows = check_table_form(*blob);
  if (!rows) return rows;
  facts_.find(std::string(sha256))->second.rows = *rows;
  return rows;
}

Result<const std::vector<Outcome>*> Blobs::outcomes(std::string_view sha256) {
  if (const auto known = outcomes_.find(sha256); known != outcomes_.end()) return &known->second;
  const auto blob = read(sha256);
  if (!blob) return blob.error();
  auto parsed = read_outcomes(*blob);
  if (!parsed) return std::move(parsed).error();
  if (outcomes_.size() >= kParsedMax) outcomes_.clear();
  return &outcomes_.emplace(sha256, *std::move(parsed)).first->second;
}

Result<const std::vector<ScheduleEntry>*> Blobs::schedule(std::string_view sha256) {
  if (const auto known = schedules_.find(sha256); known != schedules_.end()) return &known->second;
  const auto blob = read(sha256);
  if (!blob) return blob.error();
  auto parsed = schedule_of_config(*blob);
  if (!parsed) return std::move(parsed).error();
  if (schedules_.size() >= kParsedMax) schedules_.clear();
  return &schedules_.emplace(sha256, *std::move(parsed)).first->second;
}

}  // namespace vouch::verify
