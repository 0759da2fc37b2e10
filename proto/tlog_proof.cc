// SPDX-License-Identifier: Apache-2.0
// The texts of receipt.h: tlog-proof, .consistency and .contradiction, line by line.
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "proto/receipt.h"

namespace vouch::receipt {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::string_view kOld = "old ";

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// Takes the next line, without its LF, off `rest`. Nothing if no LF is left.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_number(std::string_view text) {
  const bool plain = !text.empty() && (text == "0" || text.front() != '0');
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!plain || error != std::errc{} || end != text.data() + text.size() ||
      number > merkle::kTreeSizeMax) {
    return invalid("expected a decimal number up to 2^63-1 without leading zeros");
  }
  return number;
}

Result<merkle::Hash> parse_hash(std::string_view line) {
  auto hash = base64_decode(line);
  if (!hash || hash->size() != merkle::kHashBytes) {
    return invalid("proof line is not base64 of 32 bytes");
  }
  return *std::move(hash);
}

// Hash lines up to an empty line, which is taken too, or to the end of the text.
Result<merkle::Proof> parse_hashes(std::string_view& rest, std::size_t hashes_max) {
  merkle::Proof proof;
  while (!rest.empty()) {
    const auto line = next_line(rest);
    if (!line) return invalid("the last line has no newline");
    if (line->empty()) return proof;
    if (proof.size() == hashes_max) {
      return invalid(fmt::format("more than {} hashes in a proof", hashes_max));
    }
    auto hash = parse_hash(*line);
    if (!hash) return std::move(hash).error();
    proof.push_back(*std::move(hash));
  }
  return proof;
}

Result<std::uint64_t> parse_old_line(std::string_view& rest) {
  const auto line = next_line(rest);
  if (!line || !line->starts_with(kOld)) return invalid("expected \"old <size>\"");
  return parse_number(line->substr(kOld.size()));
}

std::string write_lines(const merkle::Proof& proof) {
  std::string text;
  for (const auto& hash : proof) text += base64_encode(hash) + "\n";
  return text;
}

}  // namespace

Result<TlogProof> parse(std::string_view bytes) {
  if (bytes.size() > kReceiptBytesMax) return Error{Errc::too_large, "receipt over 256 KiB"};
  auto rest = bytes;
  TlogProof proof;
  auto line = next_line(rest);
  if (!line || *line != kFirstLine) return invalid("first line is not c2sp.org/tlog-proof@v1");
  line = next_line(rest);
  if (line && line->starts_with(kExtra)) {
    auto extra = base64_decode(line->substr(kExtra.size()));
    if (!extra) return invalid("extra line is not base64");
    proof.extra = *std::move(extra);
    line = next_line(rest);
  }
  if (!line || !line->starts_with(kIndex)) return invalid("no index line");
  auto index = parse_number(line->substr(kIndex.size()));
  if (!index) return std::move(index).error().in("index");
  proof.index = *index;
  auto hashes = parse_hashes(rest, merkle::kProofHashesMax);
  if (!hashes) return std::move(hashes).error();
  proof.proof = *std::move(hashes);
  if (rest.empty()) return invalid("no checkpoint");
  proof.checkpoint = rest;
  return proof;
}

std::string write(const TlogProof& proof) {
  std::string text(kFirstLine);
  text += '\n';
  if (proof.extra) text += fmt::format("{}{}\n", kExtra, base64_encode(*proof.extra));
  text += fmt::format("{}{}\n", kIndex, proof.index);
  return text + write_lines(proof.proof) + "\n" + proof.checkpoint;
}

Result<Consistency> parse_consistency(std::string_view bytes) {
  if (bytes.size() > kReceiptBytesMax) return Error{Errc::too_large, "proof over 256 KiB"};
  auto rest = bytes;
  auto old_size = parse_old_line(rest);
  if (!old_size) return std::move(old_size).error();
  auto proof = parse_hashes(rest, merkle::kProofHashesMax);
  if (!proof) return std::move(proof).error();
  if (!bytes.ends_with('\n') || bytes.ends_with("\n\n")) {
    return invalid("a consistency proof ends after its last hash");
  }
  if (!rest.empty()) return invalid("an empty line in a consistency proof");
  return Consistency{*old_size, *std::move(proof)};
}

std::string write_consistency(const Consistency& consistency) {
  return fmt::format("{}{}\n", kOld, consistency.old_size) + write_lines(consistency.proof);
}

Result<Contradiction> parse_contradiction(std::string_view bytes) {
  if (bytes.size() > kReceiptBytesMax) return Error{Errc::too_large, "proof over 256 KiB"};
  auto rest = bytes;
  auto old_size = parse_old_line(rest);
  if (!old_size) return std::move(old_size).error();
  // The full form writes one hash more where the old size is a power of two.
  auto proof = parse_hashes(rest, merkle::kProofHashesMax + 1);
  if (!proof) return std::move(proof).error();
  if (rest.empty()) return invalid("no checkpoint after the proof");
  return Contradiction{{*old_size, *std::move(proof)}, std::string(rest)};
}

std::string write_contradiction(const Contradiction& contradiction) {
  return write_consistency(contradiction.consistency) + "\n" + contradiction.checkpoint;
}

}  // namespace vouch::receipt
