// SPDX-License-Identifier: Apache-2.0
// The succession of a log by another (docs/formats/succession.md): a signed note that says where
// the old log ended and which key the new one has. It holds with both signatures: the old key's
// consent, and proof that the new one is possessed.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/checkpoint.h"
#include "proto/leaf.h"
#include "proto/note.h"

namespace vouch {
class SigningKey;
}

namespace vouch::succession {

inline constexpr std::string_view kTag = "vouch-succession/v1";  // No log may have this origin.

struct Statement {
  checkpoint::Checkpoint end;   // The old log's origin, and its size and root at the end.
  note::VerifierKey successor;  // The new log's key; its name is the new origin.

  bool operator==(const Statement&) const = default;
};

// The five lines that are signed, each with its LF.
std::string write_text(const Statement& statement);
// Strict: exactly five lines; size and root as in a checkpoint; the successor is a log key of
// another name than the old origin; neither name is kTag.
Result<Statement> parse_text(std::string_view text);
// Hex SHA-256 of the text: `statement` in the new log's first leaf.
std::string digest(const Statement& statement);

struct Signed {
  Statement statement;
  std::string note;    // The bytes as they came.
  std::string digest;  // Of the text.
};

// Parses the note and checks both signatures: that of `old_log`, which must be the log that the
// note ends, and that of the key which it names as successor. Errc::invalid for any broken form, an
// end of another log, a bad signature; Errc::denied if one of the two did not sign. Whether the end
// agrees with what the caller knows of the old log, and the successor with what it expects, is the
// caller's question.
Result<Signed> open(std::string_view bytes, const note::VerifierKey& old_log);

// The origin of the log that the note ends, unchecked: to find the key for open().
Result<std::string> peek_old_origin(std::string_view bytes);

// The note with both signatures. The keys must be the private halves of `old_log` and of
// `statement.successor`.
Result<std::string> sign(const Statement& statement, const note::VerifierKey& old_log,
                         const SigningKey& old_key, const SigningKey& new_key);

// Errc::invalid unless the new log's first leaf says what the note says: end and digest.
Status check_leaf(const leaf::Succession& leaf, const Statement& statement);

}  // namespace vouch::succession
