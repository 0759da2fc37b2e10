// SPDX-License-Identifier: Apache-2.0
#include "proto/note.h"

#include <array>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include "proto/keys.h"
#include "proto/signing_key.h"

namespace vouch::note {
namespace {

constexpr std::string_view kLineStart = "\xE2\x80\x94 ";  // Em dash, space.
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kTimeBytes = 8;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// Spaces of Unicode beyond ASCII (White_Space=yes), in UTF-8.
constexpr std::array<std::string_view, 19> kWideSpaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

std::string key_id_of(std::string_view name, KeyType type, std::string_view public_key) {
  std::string bytes(name);
  bytes.push_back('\n');
  bytes.push_back(static_cast<char>(type));
  bytes += public_key;
  return sha256(bytes).substr(0, kKeyIdBytes);
}

std::string time_bytes(std::uint64_t time) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((time >> shift) & 0xff));
  }
  return bytes;
}

std::uint64_t parse_time(std::string_view bytes) {
  std::uint64_t time = 0;
  for (const char c : bytes) time = (time << 8) | static_cast<unsigned char>(c);
  return time;
}

// What a witness signs: the text alone does not say when.
std::string cosigned_message(std::string_view text, std::uint64_t time) {
  return fmt::format("cosignature/v1\ntime {}\n{}", time, text);
}

Result<Signature> parse_line(std::string_view line) {
  if (!line.starts_with(kLineStart)) return invalid("signature line does not start with \u2014");
  line.remove_prefix(kLineStart.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return invalid("signature line without a signature");
  Signature signature;
  signature.name = line.substr(0, space);
  if (!is_key_name(signature.name)) return invalid("signature line with a bad key name");
  auto bytes = base64_decode(line.substr(space + 1));
  if (!bytes) return invalid("signature is not base64");
  if (bytes->size() <= kKeyIdBytes) return invalid("signature is too short");
  signature.key_id = bytes->substr(0, kKeyIdBytes);
  signature.payload = bytes->substr(kKeyIdBytes);
  return signature;
}

// The time of a good signature (0 for a log's), or why it is not good.
Result<std::uint64_t> verify_one(const Signature& signature, const VerifierKey& key,
                                 std::string_view text) {
  auto public_key = PublicKey::from_ed25519(key.public_key);
  if (!public_key) return std::move(public_key).error();
  const bool timed = key.type == KeyType::cosignature;
  if (signature.payload.size() != kSignatureBytes + (timed ? kTimeBytes : 0)) {
    return invalid(fmt::format("signature of {} has the wrong length", key.name));
  }
  const std::string_view payload = signature.payload;
  const auto time = timed ? parse_time(payload.substr(0, kTimeBytes)) : 0;
  const auto bytes = payload.substr(payload.size() - kSignatureBytes);
  const bool good = timed ? public_key->verify(cosigned_message(text, time), bytes)
                          : public_key->verify(text, bytes);
  if (!good) return invalid(fmt::format("signature of {} is bad", key.name));
  return time;
}

}  // namespace

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameBytesMax || !json::is_valid_utf8(name)) return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '+') return false;
  }
  for (const auto space : kWideSpaces) {
    if (name.find(space) != std::string_view::npos) return false;
  }
  return true;
}

Result<VerifierKey> parse_vkey(std::string_view text) {
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return invalid("verifier key without two \"+\"");
  VerifierKey key;
  key.name = text.substr(0, first);
  if (!is_key_name(key.name)) return invalid("verifier key with a bad name");
  auto key_id = hex_decode(text.substr(first + 1, second - first - 1));
  if (!key_id || key_id->size() != kKeyIdBytes) {
    return invalid("verifier key without a key id of 8 hex digits");
  }
  auto bytes = base64_decode(text.substr(second + 1));
  if (!bytes || bytes->empty()) return invalid("verifier key is not base64");

  const auto type = static_cast<std::uint8_t>(bytes->front());
  if (type != static_cast<std::uint8_t>(KeyType::log) &&
      type != static_cast<std::uint8_t>(KeyType::cosignature)) {
    return Error{Errc::unsupported,
                 fmt::format("verifier key of type 0x{:02x}: only Ed25519 is supported", type)};
  }
  key.type = static_cast<KeyType>(type);
  key.public_key = bytes->substr(1);
  if (key.public_key.size() != kPublicKeyBytes) {
    return invalid("verifier key without a public key of 32 bytes");
  }
  key.key_id = *std::move(key_id);
  if (key.key_id != key_id_of(key.name, key.type, key.public_key)) {
    return invalid("key id does not belong to the verifier key");
  }
  auto public_key = PublicKey::from_ed25519(key.public_key);
  if (!public_key) return std::move(public_key).error().in("verifier key");
  return key;
}

std::string write_vkey(const VerifierKey& key) {
  return key.name + "+" + hex_encode(key.key_id) + "+" +
         base64_encode(std::string(1, static_cast<char>(key.type)) + key.public_key);
}

Result<VerifierKey> make_vkey(std::string_view name, KeyType type, const SigningKey& key) {
  if (!is_key_name(name)) return invalid(fmt::format("no key name: \"{}\"", name));
  if (key.public_key().type() != vouch::KeyType::ed25519) {
    return Error{Errc::unsupported, "notes are signed with Ed25519 keys only"};
  }
  const auto raw = key.public_key().raw();
  return VerifierKey{std::string(name), type, raw, key_id_of(name, type, raw)};
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > kNoteBytesMax) return Error{Errc::too_large, "note over 64 KiB"};
  if (!json::is_valid_utf8(bytes)) return invalid("note is not UTF-8");
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f) return invalid("control byte in a note");
  }
  if (!bytes.ends_with('\n')) return invalid("note does not end with a newline");
  const auto gap = bytes.rfind("\n\n");
  if (gap == std::string_view::npos) return invalid("note without an empty line");

  Note note;
  note.text = bytes.substr(0, gap + 1);
  auto lines = bytes.substr(gap + 2);
  if (lines.empty()) return invalid("note without a signature");
  while (!lines.empty()) {
    if (note.signatures.size() == kSignaturesMax) return invalid("over 64 signatures in a note");
    const auto end = lines.find('\n');
    auto signature = parse_line(lines.substr(0, end));
    if (!signature) return std::move(signature).error();
    note.signatures.push_back(*std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return note;
}

Result<std::vector<Verified>> verify_note(const Note& note, const std::vector<VerifierKey>& known) {
  std::vector<Verified> verified;
  for (const auto& signature : note.signatures) {
    for (const auto& key : known) {
      if (key.name != signature.name || key.key_id != signature.key_id) continue;
      auto time = verify_one(signature, key, note.text);
      if (!time) return std::move(time).error();
      verified.push_back({key, *time});
      break;
    }
  }
  return verified;
}

Result<std::string> sign_line(std::string_view text, const VerifierKey& as, const SigningKey& key,
                              std::uint64_t time) {
  if (key.public_key().type() != vouch::KeyType::ed25519 ||
      key.public_key().raw() != as.public_key) {
    return invalid(fmt::format("the key is not that of {}", as.name));
  }
  const bool timed = as.type == KeyType::cosignature;
  auto signature = timed ? key.sign(cosigned_message(text, time)) : key.sign(text);
  if (!signature) return std::move(signature).error();
  return fmt::format("{}{} {}\n", kLineStart, as.name,
                     base64_encode(as.key_id + (timed ? time_bytes(time) : "") + *signature));
}

std::string assemble(std::string_view text, const std::vector<std::string>& signature_lines) {
  assert(text.ends_with('\n'));
  std::string note(text);
  note.push_back('\n');
  for (const auto& line : signature_lines) note += line;
  return note;
}

}  // namespace vouch::note
