// SPDX-License-Identifier: Apache-2.0
// Delivery (docs/formats/outbox.md): parcels from outbox/ to the store in seq order, and what comes
// back into receipts/. It believes nothing and decides nothing: vouchd checks what it brings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ship/transport.h"
#include "core/result.h"
#include "proto/receipt.h"

namespace vouch::ship {

struct CourierPaths {
  std::string outbox;
  std::string receipts;
};

// What one pass over the outbox came to.
struct Pass {
  std::size_t parcels = 0;    // In the outbox.
  std::size_t delivered = 0;  // Of those, with an answer that counts waiting for vouchd.
  bool trouble = false;       // Something must be tried again, later.
  std::optional<std::int64_t> retry_after_s;
  std::string message;  // What the trouble is.
};

class Courier {
 public:
  // `transport` must outlive the courier. Makes receipts/ and empties receipts/tmp.
  static Result<Courier> to_store(CourierPaths paths, Transport& transport);
  // Copies to <directory>/<agent>/<seq>.parcel instead.
  static Result<Courier> to_directory(CourierPaths paths, std::string directory);

  // Sends what has no answer yet, asks for newer receipts where vouchd did not take those that
  // are there, and removes its own files once their parcel has gone. Fails only if the directories
  // cannot be read or written.
  Result<Pass> pass();

 private:
  Courier(CourierPaths paths, Transport* transport, std::string directory)
      : paths_(std::move(paths)), transport_(transport), directory_(std::move(directory)) {}
  Status tidy(const std::vector<std::int64_t>& waiting);
  Status send(std::int64_t seq, Pass& pass);
  Status fetch_successions(const std::string& from, const std::string& to);
  Status send_notice(std::int64_t seq, Pass& pass);
  Status copy(std::int64_t seq, Pass& pass);
  // A receipt is there: is it of use to vouchd, or is a newer one needed?
  Status review(std::int64_t seq, Pass& pass);
  Status take_receipt(std::int64_t seq, const std::string& receipt, Pass& pass);
  Status take_refusal(std::int64_t seq, const HttpAnswer& answer, Pass& pass);
  Status write_proof(std::int64_t seq, const std::string& note, Pass& pass);
  Status put(std::int64_t seq, std::string_view suffix, std::string_view bytes);
  [[nodiscard]] bool has(std::int64_t seq, std::string_view suffix) const;
  [[nodiscard]] std::string path_of(std::int64_t seq, std::string_view suffix) const;

  CourierPaths paths_;
  Transport* transport_;  // Null: copies to directory_.
  std::string directory_;
  // The checkpoint that the next proof starts from: that of the receipt before in seq order, which
  // vouchd will have accepted by then, else log_seen.
  std::string base_;
};

// "0000004812", the ten digits of a file name.
std::string seq_name(std::int64_t seq);
// The parcels of a directory, ascending.
Result<std::vector<std::int64_t>> list_parcels(const std::string& directory);

// The wait before try number `failures` + 1: full jitter over 1 s, 2 s, 4 s … 1 h, and never under
// what the store asked for.
std::int64_t backoff_ms(int failures, std::optional<std::int64_t> retry_after_s,
                        std::uint64_t random);

}  // namespace vouch::ship
