// SPDX-License-Identifier: Apache-2.0
// What comes back from the store by way of receipts/ (docs/formats/outbox.md, receipt.md). Nothing
// there is trusted: a receipt counts once its signature and its proofs were checked here; every
// other word is reported, and never stops sealing or deletes anything.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/state.h"
#include "core/clock.h"
#include "core/result.h"
#include "proto/policy_file.h"
#include "proto/record.h"

namespace vouch::agent {

inline constexpr std::size_t kReceiptsPerScanMax = 1024;
inline constexpr WallMs kBehindMsMax = WallMs{3600} * 1000;

struct AcceptorOptions {
  std::string receipts_dir;
  uid_t ship_uid = 0;               // Who must own the files; ourselves are accepted too.
  bool file_is_delivery = false;    // A file destination and no store: a copy counts.
  std::int64_t kept_ms = 0;         // How long acknowledged parcels are kept,
  std::int64_t kept_bytes_max = 0;  // and how many bytes of them.
};

class Acceptor {
 public:
  // Fails if the policy file that enrolment left is damaged.
  static Result<Acceptor> make(State& state, const Clock& clock, AcceptorOptions options);

  // Looks at all that is there, in seq order. Returns how many bundles were acknowledged.
  Result<int> scan();
  // Lets go of parcels that were kept long enough.
  Status expire();

 private:
  Acceptor(State& state, const Clock& clock, AcceptorOptions options)
      : state_(state), clock_(clock), options_(std::move(options)) {}
  Status read_policy();
  Result<bool> look_at(const SealedBundle& bundle);
  Result<bool> take_receipt(const SealedBundle& bundle, const std::string& receipt);
  Result<bool> take_delivered(const SealedBundle& bundle, const std::string& text);
  Status take_refusal(const SealedBundle& bundle, const std::string& text);
  Status take_successions();
  Status take_fork(const SealedBundle& bundle, const std::string& receipt);
  Status take_contradiction(const std::string& text);
  Status note_behind(const SealedBundle& bundle);
  Result<bool> note_refusal(const Refused& refused);
  Status send_all_blobs(std::int64_t seq);
  Status acknowledge(const SealedBundle& bundle, std::string_view receipt,
                     const std::optional<AcceptedCheckpoint>& checkpoint);
  [[nodiscard]] std::optional<std::string> read(std::int64_t seq, std::string_view suffix) const;

  State& state_;
  const Clock& clock_;
  AcceptorOptions options_;
  std::optional<policy_file::Policy> policy_;
};

}  // namespace vouch::agent
