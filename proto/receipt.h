// SPDX-License-Identifier: Apache-2.0
// Receipts (docs/formats/receipt.md): C2SP tlog-proofs that carry the log entry, and the rules by
// which an agent accepts one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/checkpoint.h"
#include "proto/leaf.h"
#include "proto/merkle.h"
#include "proto/policy_file.h"

namespace vouch::receipt {

inline constexpr std::size_t kReceiptBytesMax = 256u << 10;  // Any file in receipts/.

struct TlogProof {
  std::optional<std::string> extra;  // The log entry. Proves nothing until its hash is proved.
  std::uint64_t index = 0;
  merkle::Proof proof;
  std::string checkpoint;  // The note, verbatim.
};

Result<TlogProof> parse(std::string_view bytes);  // Strict; the checkpoint is not opened.
std::string write(const TlogProof& proof);

// A `.consistency` file: "old <size>" LF, one base64 hash per line.
struct Consistency {
  std::uint64_t old_size = 0;
  merkle::Proof proof;
};
Result<Consistency> parse_consistency(std::string_view bytes);
std::string write_consistency(const Consistency& consistency);
// A `.contradiction` file: the same with the full form of the proof, an empty line, the newer
// checkpoint. True if it convicts the log: both checkpoints well signed, and merkle::contradicts().
struct Contradiction {
  Consistency consistency;
  std::string checkpoint;
};
Result<Contradiction> parse_contradiction(std::string_view bytes);
std::string write_contradiction(const Contradiction& contradiction);
bool convicts(const Contradiction& contradiction, std::string_view accepted_checkpoint,
              const note::VerifierKey& log);

// The proof, checkpoint and entry of a tlog-proof, once they hold together: rules (1), (3), (4).
struct Opened {
  leaf::Leaf leaf;
  std::string entry;  // The bytes of the leaf.
  std::uint64_t index = 0;
  checkpoint::Signed checkpoint;
};

enum class Verdict {
  accepted,
  malformed,      // (1) The form.
  foreign,        // (2) Another entry than the one asked about.
  bad_signature,  // (3) Not signed by the pinned log, or another origin.
  bad_inclusion,  // (4) The entry is not in that tree.
  behind,         // (5) Nothing wrong, but older than what is accepted already, or without proof
                  //     that it continues it: fetch a newer one.
  no_quorum,      // (6) The policy's witnesses did not sign.
};
std::string_view to_string(Verdict verdict);

// Rules (1), (3), (4) for any entry. The verdict is never foreign, behind or no_quorum.
struct OpenResult {
  Verdict verdict = Verdict::malformed;
  std::string detail;            // Why not, for a person; empty if accepted.
  std::optional<Opened> opened;  // If accepted.
};
OpenResult open(std::string_view receipt, const policy_file::Policy& policy);

// What the agent asks about: a bundle that it sealed.
struct Expected {
  std::string agent;
  std::int64_t seq = 0;
  std::string id, prev, keyid;
};

struct Acceptance {
  Verdict verdict = Verdict::malformed;
  std::string detail;
  std::optional<Opened> opened;  // If accepted, behind or no_quorum.
};

// Rules (1) to (6). `accepted` is the checkpoint accepted last (none yet: absent); `consistency`
// the content of the `.consistency` file, if there is one. If several rules fail, the first that
// fails in the order 1, 3, 4, 2, 5, 6 is named, so that `behind` means: only (5), or (5) and (6).
Acceptance accept(std::string_view receipt, const Expected& expected,
                  const policy_file::Policy& policy,
                  const std::optional<checkpoint::Checkpoint>& accepted,
                  const std::optional<std::string>& consistency);

// Proof of a fork (docs/formats/receipt.md): a tlog-proof that passes (1), (3), (4) for a `bundle`
// leaf of `agent` at a seq sealed with another id. `own_id` returns the id that the agent sealed
// at a seq, or nothing.
bool proves_fork(std::string_view receipt, const policy_file::Policy& policy,
                 std::string_view agent, std::int64_t own_seq, std::string_view own_id);

}  // namespace vouch::receipt
