// SPDX-License-Identifier: Apache-2.0
#include "proto/checkpoint.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"

namespace vouch::checkpoint {
namespace {

constexpr std::size_t kKeyIdBytes = 4;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const bool plain = !text.empty() && (text == "0" || text.front() != '0');
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (!plain || error != std::errc{} || end != text.data() + text.size() ||
      size > merkle::kTreeSizeMax) {
    return invalid("checkpoint size is not a decimal number up to 2^63-1");
  }
  return size;
}

bool is_key(const note::Signature& signature, const note::VerifierKey& key) {
  return signature.name == key.name && signature.key_id == key.key_id;
}

}  // namespace

std::string write_text(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                     base64_encode(checkpoint.root));
}

Result<Checkpoint> parse_text(std::string_view text) {
  const auto first = text.find('\n');
  const auto second = first == std::string_view::npos ? first : text.find('\n', first + 1);
  const auto third = second == std::string_view::npos ? second : text.find('\n', second + 1);
  if (third == std::string_view::npos || third + 1 != text.size()) {
    return invalid("checkpoint is not three lines");
  }
  Checkpoint checkpoint;
  checkpoint.origin = text.substr(0, first);
  if (!note::is_key_name(checkpoint.origin)) return invalid("checkpoint with a bad origin");
  auto size = parse_size(text.substr(first + 1, second - first - 1));
  if (!size) return std::move(size).error();
  checkpoint.size = *size;
  auto root = base64_decode(text.substr(second + 1, third - second - 1));
  if (!root || root->size() != merkle::kHashBytes) {
    return invalid("checkpoint root is not base64 of 32 bytes");
  }
  checkpoint.root = *std::move(root);
  if (checkpoint.size == 0 && checkpoint.root != merkle::empty_root()) {
    return invalid("checkpoint of size 0 without the root of the empty tree");
  }
  return checkpoint;
}

Result<Signed> open(std::string_view bytes, const note::VerifierKey& log,
                    const std::vector<note::VerifierKey>& witnesses) {
  auto note = note::parse_note(bytes);
  if (!note) return std::move(note).error();
  auto checkpoint = parse_text(note->text);
  if (!checkpoint) return std::move(checkpoint).error();
  if (checkpoint->origin != log.name) {
    return invalid(fmt::format("checkpoint of {}, not of {}", checkpoint->origin, log.name));
  }
  auto known = witnesses;
  known.insert(known.begin(), log);
  auto verified = note::verify_note(*note, known);
  if (!verified) return std::move(verified).error();

  Signed opened{*std::move(checkpoint), std::string(bytes), {}, {}};
  for (const auto& signature : note->signatures) {
    if (!is_key(signature, log)) continue;
    opened.log_signature = base64_encode(signature.key_id + signature.payload);
    break;
  }
  if (opened.log_signature.empty()) {
    return Error{Errc::denied, fmt::format("checkpoint is not signed by {}", log.name)};
  }
  for (auto& one : *verified) {
    if (one.key.type == note::KeyType::cosignature) opened.witnesses.push_back(std::move(one));
  }
  return opened;
}

Result<std::string> sign(const Checkpoint& checkpoint, const note::VerifierKey& log,
                         const SigningKey& key) {
  if (checkpoint.origin != log.name) return invalid("origin is not the name of the log's key");
  const auto text = write_text(checkpoint);
  auto line = note::sign_line(text, log, key);
  if (!line) return std::move(line).error();
  return note::assemble(text, {*std::move(line)});
}

Status verify_seen(const Checkpoint& seen, std::string_view signature_base64,
                   const note::VerifierKey& log) {
  auto bytes = base64_decode(signature_base64);
  if (!bytes || bytes->size() <= kKeyIdBytes) return invalid("signature is not base64");
  if (seen.origin != log.name) {
    return invalid(fmt::format("checkpoint of {}, not of {}", seen.origin, log.name));
  }
  note::Note note{write_text(seen),
                  {{log.name, bytes->substr(0, kKeyIdBytes), bytes->substr(kKeyIdBytes)}}};
  auto verified = note::verify_note(note, {log});
  if (!verified) return std::move(verified).error();
  if (verified->empty()) return invalid(fmt::format("signed by another key than {}'s", log.name));
  return Ok{};
}

}  // namespace vouch::checkpoint
