// SPDX-License-Identifier: Apache-2.0
// The blobs of a verification: read once, hashed once, remembered by digest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "proto/outcomes.h"
#include "proto/schedule.h"
#include "proto/subjects.h"

namespace vouch::verify {

// Reads a blob's raw bytes by digest; the bytes need not be checked yet. Errc::not_found: missing.
// Called from several threads at once.
using BlobSource = std::function<Result<std::string>(std::string_view sha256)>;

class Blobs {
 public:
  Blobs(BlobSource source, unsigned threads) : source_(std::move(source)), threads_(threads) {}

  // Reads and hashes those of `digests` that are not known yet, in parallel.
  void check(std::vector<std::string> digests);

  // Checked bytes. Errc::not_found: missing; Errc::corrupt: the bytes have another digest, or there
  // is no reading them.
  Result<std::string> read(std::string_view sha256);
  // Ok, or why read() would fail.
  Status state(std::string_view sha256);
  // Rows of a blob in table form.
  Result<std::int64_t> rows(std::string_view sha256);
  // Parsed once.
  Result<const std::vector<Outcome>*> outcomes(std::string_view sha256);
  Result<const std::vector<ScheduleEntry>*> schedule(std::string_view sha256);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  struct Facts {
    std::optional<Error> error;
    std::optional<std::int64_t> rows;
  };
  // With the bytes, if they are good.
  Result<std::string> fetch(std::string_view sha256) const;
  Facts& remember(std::string_view sha256, const Result<std::string>& blob);

  BlobSource source_;
  unsigned threads_;
  std::unordered_map<std::string, Facts> facts_;
  std::unordered_map<std::string, std::string> small_;  // Bytes of small blobs, bounded.
  std::size_t small_bytes_ = 0;
  std::map<std::string, std::vector<Outcome>, std::less<>> outcomes_;
  std::map<std::string, std::vector<ScheduleEntry>, std::less<>> schedules_;
  std::int64_t count_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace vouch::verify
