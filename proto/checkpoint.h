// SPDX-License-Identifier: Apache-2.0
// C2SP checkpoints (docs/formats/log.md): the signed head of a log, as a note of three lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proto/merkle.h"
#include "proto/note.h"

namespace vouch::checkpoint {

struct Checkpoint {
  std::string origin;  // Equal to the name of the log's key.
  std::uint64_t size = 0;
  merkle::Hash root;

  bool operator==(const Checkpoint&) const = default;
};

// The three lines that are signed, each with its LF.
std::string write_text(const Checkpoint& checkpoint);
// Strict: exactly three lines (no extension lines), decimal size without leading zeros up to
// 2^63-1, root of 32 bytes; at size 0 the root of the empty tree.
Result<Checkpoint> parse_text(std::string_view text);

struct Signed {
  Checkpoint checkpoint;
  std::string note;                       // The bytes as they came.
  std::string log_signature;              // base64 field of the log's line: `log_seen.sig`.
  std::vector<note::Verified> witnesses;  // Known witnesses with a good cosignature/v1.
};

// Parses the note and checks it against the pinned log key and the known witnesses. Errc::invalid
// for any broken form, an origin that is not the key's name, a bad signature by a known key;
// Errc::denied if the log did not sign.
Result<Signed> open(std::string_view bytes, const note::VerifierKey& log,
                    const std::vector<note::VerifierKey>& witnesses = {});

// A checkpoint signed by the log. `key` must be the private half of `log`.
Result<std::string> sign(const Checkpoint& checkpoint, const note::VerifierKey& log,
                         const SigningKey& key);

// A note of origin, size, root and the signature field of the log's line, as a bundle's `log_seen`
// carries it, checked against the log key.
Status verify_seen(const Checkpoint& seen, std::string_view signature_base64,
                   const note::VerifierKey& log);

}  // namespace vouch::checkpoint
