// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes (docs/formats/log.md): text, an empty line, signature lines. Keys are named
// by verifier keys ("vkey"): <name>+<hex key id>+<base64 of type and public key>. Ed25519 only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch {
class SigningKey;
}

namespace vouch::note {

inline constexpr std::size_t kNoteBytesMax = 64u << 10;
inline constexpr std::size_t kSignaturesMax = 64;
inline constexpr std::size_t kKeyNameBytesMax = 255;

enum class KeyType : std::uint8_t { log = 0x01, cosignature = 0x04 };

struct VerifierKey {
  std::string name;  // No white space, no '+', not empty.
  KeyType type = KeyType::log;
  std::string public_key;  // 32 raw bytes, a point that the rules of docs/formats/bundle.md accept.
  std::string key_id;      // 4 raw bytes: SHA-256(name || LF || type || public key)[0:4].

  bool operator==(const VerifierKey&) const = default;
};

// Errc::invalid for a wrong form, a key id that is not the computed one, a key of small order;
// Errc::unsupported for another type (ML-DSA-44).
Result<VerifierKey> parse_vkey(std::string_view text);
std::string write_vkey(const VerifierKey& key);
// The verifier key of `key` (Ed25519; else Errc::unsupported) under `name`.
Result<VerifierKey> make_vkey(std::string_view name, KeyType type, const SigningKey& key);
bool is_key_name(std::string_view name);

struct Signature {
  std::string name;
  std::string key_id;   // 4 raw bytes.
  std::string payload;  // What follows the key id: 64 bytes for a log, 8 + 64 for a cosignature.
};

struct Note {
  std::string text;  // With its last LF: exactly what is signed.
  std::vector<Signature> signatures;
};

// The form alone. Text and signatures part at the last empty line. Refuses invalid UTF-8, control
// bytes but LF (so CRLF too), a missing last LF, no signature, over 64 signature lines, over 64
// KiB.
Result<Note> parse_note(std::string_view bytes);

// A known key that signed, and when (cosignatures only; 0 for a log's signature).
struct Verified {
  VerifierKey key;
  std::uint64_t time = 0;  // POSIX seconds.
};

// Checks each signature whose (name, key id) is that of a known key. Unknown ones are passed over;
// a bad one of a known key refuses the whole note (Errc::invalid). May return an empty list: what
// must have signed is the caller's question.
Result<std::vector<Verified>> verify_note(const Note& note, const std::vector<VerifierKey>& known);

// The signature line, with its LF, of a log's key or of a witness at `time` over the text.
Result<std::string> sign_line(std::string_view text, const VerifierKey& as, const SigningKey& key,
                              std::uint64_t time = 0);
// text, empty line, lines. `text` ends with LF and is not empty (assert).
std::string assemble(std::string_view text, const std::vector<std::string>& signature_lines);

}  // namespace vouch::note
