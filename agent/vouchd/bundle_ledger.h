// SPDX-License-Identifier: Apache-2.0
// Sealed bundles in the ledger: which wait for a receipt, which are kept after it, which blobs each
// needs. A bundle's row is for ever; its envelope goes when it expires.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"

namespace vouch::agent {

enum class BundleState { waiting, kept, expired };

struct SealedBundle {
  std::int64_t seq = 0;
  std::string id, prev, keyid;
  std::int64_t epoch = 0;
  bool rotates = false;  // Its last record is key-rotate.
  WallMs sealed = 0;
  BundleState state = BundleState::waiting;
  std::string envelope;  // The bytes; empty once expired.
  std::int64_t parcel_bytes = 0;
  WallMs acknowledged = 0;
  WallMs behind_since = 0;  // Since when its receipts were only too old; 0: they were not.
};

// Why a store would not take a bundle.
struct Refusal {
  std::int64_t seq = 0;
  std::int64_t status = 0;
  std::string problem;
};

class BundleLedger {
 public:
  explicit BundleLedger(sqlite::Database& database) : database_(database) {}

  // With the blobs it refers to. Those that no earlier bundle sent are marked for its parcel.
  Status add(const SealedBundle& bundle, const std::vector<std::string>& blobs);
  Result<std::optional<SealedBundle>> find(std::int64_t seq);
  Result<std::vector<SealedBundle>> in_state(BundleState state);  // By seq; without envelopes.
  // The blobs that belong into its parcel, ascending.
  Result<std::vector<std::string>> parcel_blobs(std::int64_t seq);
  // The bundles here whose parcels have the blob.
  Result<std::vector<std::int64_t>> parcels_with(std::string_view sha256);
  Status set_parcel_bytes(std::int64_t seq, std::int64_t bytes);
  // After `missing-blobs`: the parcel gets all blobs of the bundle.
  Status send_all_blobs(std::int64_t seq);
  Result<bool> sends_all_blobs(std::int64_t seq);  // And that parcel is written.
  Status acknowledge(std::int64_t seq, WallMs now, std::string_view receipt);
  // The receipt that acknowledged it last; empty: none did.
  Result<std::string> receipt(std::int64_t seq);
  // Kept bundles from `seq` on wait again.
  Status refill(std::int64_t seq);
  Status set_behind_since(std::int64_t seq, WallMs since);
  Status expire(std::int64_t seq);
  // True if this (seq, status) was not noted before: at most one `refused` record for each.
  Result<bool> knows_refusal(std::int64_t seq, std::int64_t status);
  Result<bool> note_refusal(std::int64_t seq, std::int64_t status, std::string_view problem);
  Result<std::vector<Refusal>> refusals();         // Of bundles that wait.
  Result<std::optional<WallMs>> oldest_waiting();  // When it was sealed.
  // True if an unacknowledged bundle is signed by a key of `epoch`.
  Result<bool> epoch_in_use(std::int64_t epoch);

  Status note_blob(std::string_view sha256, std::int64_t bytes);
  Result<std::int64_t> blob_bytes(std::string_view sha256);
  // Blobs that nothing refers to: no waiting record, no waiting or kept bundle, no baseline, and
  // none of `in_use`.
  Result<std::vector<std::string>> unused_blobs(const std::vector<std::string>& in_use);
  Status forget_blob(std::string_view sha256);
  Result<bool> knows_blob(std::string_view sha256);
  // Bytes of parcels that wait.
  Result<std::int64_t> spool_bytes();

 private:
  sqlite::Database& database_;
};

}  // namespace vouch::agent
