// SPDX-License-Identifier: Apache-2.0
// Parcels on disk (docs/formats/outbox.md): outbox/<seq>.parcel until it is acknowledged, then
// kept/<seq>.parcel. Like a maildir: written in tmp/, synced, renamed; then it never changes. The
// ledger decides; these files follow it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::agent {

// "0000004812", the ten digits of a file name.
std::string seq_name(std::int64_t seq);

class Outbox {
 public:
  // Makes the directories and empties tmp/.
  static Result<Outbox> open(std::string outbox, std::string kept);

  Status write(std::int64_t seq, std::string_view parcel);
  [[nodiscard]] bool has(std::int64_t seq) const;
  [[nodiscard]] Result<std::string> read(std::int64_t seq) const;
  [[nodiscard]] Result<std::string> read_kept(std::int64_t seq) const;
  // outbox/ to kept/. Nothing to do if it is there already, or gone.
  Status keep(std::int64_t seq);
  // kept/ to outbox/, for a store that lost it.
  Status refill(std::int64_t seq);
  // A file of outbox/ or kept/ into `directory`, beside all that is there.
  Status set_aside(std::int64_t seq, bool kept, const std::string& directory);
  Status drop_waiting(std::int64_t seq);
  Status drop_kept(std::int64_t seq);
  [[nodiscard]] Result<std::vector<std::int64_t>> waiting() const;  // Ascending.
  [[nodiscard]] Result<std::vector<std::int64_t>> kept() const;
  // drops/<seq>.json: the signed word that blobs of a waiting bundle are lost.
  Status write_notice(std::int64_t seq, std::string_view notice);
  Status remove_notice(std::int64_t seq);
  [[nodiscard]] Result<std::vector<std::int64_t>> notices() const;  // Ascending.
  // The checkpoint accepted last, for vouch-ship to start its proofs from.
  Status write_log_seen(std::string_view note);

 private:
  Outbox(std::string outbox, std::string kept)
      : outbox_(std::move(outbox)), kept_(std::move(kept)) {}
  [[nodiscard]] std::string notice_path(std::int64_t seq) const;
  std::string outbox_;
  std::string kept_;
};

}  // namespace vouch::agent
