// SPDX-License-Identifier: Apache-2.0
#include "proto/succession.h"

#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/signing_key.h"

namespace vouch::succession {
namespace {

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

bool signed_by(const std::vector<note::Verified>& verified, const note::VerifierKey& key) {
  for (const auto& one : verified) {
    if (one.key == key) return true;
  }
  return false;
}

}  // namespace

std::string write_text(const Statement& statement) {
  return fmt::format("{}\n{}{}\n", kTag, checkpoint::write_text(statement.end),
                     note::write_vkey(statement.successor));
}

Result<Statement> parse_text(std::string_view text) {
  if (!text.starts_with(kTag) || text.substr(kTag.size(), 1) != "\n") {
    return invalid(fmt::format("succession does not begin with {}", kTag));
  }
  text.remove_prefix(kTag.size() + 1);
  // The last line is the key, those before it are a checkpoint's.
  if (!text.ends_with('\n')) return invalid("succession does not end with a newline");
  text.remove_suffix(1);
  const auto last = text.rfind('\n');
  if (last == std::string_view::npos) return invalid("succession is not five lines");
  auto end = checkpoint::parse_text(text.substr(0, last + 1));
  if (!end) return std::move(end).error().in("end of the old log");
  auto successor = note::parse_vkey(text.substr(last + 1));
  if (!successor) return std::move(successor).error().in("key of the new log");
  if (successor->type != note::KeyType::log) return invalid("the new key is not a log's");
  if (successor->name == end->origin) return invalid("the new log has the name of the old one");
  if (successor->name == kTag || end->origin == kTag) {
    return invalid(fmt::format("no log is named {}", kTag));
  }
  return Statement{*std::move(end), *std::move(successor)};
}

std::string digest(const Statement& statement) {
  return sha256_hex(write_text(statement));
}

Result<Signed> open(std::string_view bytes, const note::VerifierKey& old_log) {
  auto note = note::parse_note(bytes);
  if (!note) return std::move(note).error();
  auto statement = parse_text(note->text);
  if (!statement) return std::move(statement).error();
  if (statement->end.origin != old_log.name) {
    return invalid(fmt::format("succession of {}, not of {}", statement->end.origin, old_log.name));
  }
  auto verified = note::verify_note(*note, {old_log, statement->successor});
  if (!verified) return std::move(verified).error();
  for (const auto& key : {old_log, statement->successor}) {
    if (signed_by(*verified, key)) continue;
    return Error{Errc::denied, fmt::format("succession is not signed by {}", key.name)};
  }
  return Signed{*std::move(statement), std::string(bytes), sha256_hex(note->text)};
}

Result<std::string> peek_old_origin(std::string_view bytes) {
  auto note = note::parse_note(bytes);
  if (!note) return std::move(note).error();
  auto statement = parse_text(note->text);
  if (!statement) return std::move(statement).error();
  return std::move(statement->end.origin);
}

Result<std::string> sign(const Statement& statement, const note::VerifierKey& old_log,
                         const SigningKey& old_key, const SigningKey& new_key) {
  const auto text = write_text(statement);
  auto read_back = parse_text(text);
  if (!read_back) return std::move(read_back).error().in("write succession");
  if (statement.end.origin != old_log.name) return invalid("the end is not of the old log");
  auto consent = note::sign_line(text, old_log, old_key);
  if (!consent) return consent;
  auto possession = note::sign_line(text, statement.successor, new_key);
  if (!possession) return possession;
  return note::assemble(text, {*std::move(consent), *std::move(possession)});
}

Status check_leaf(const leaf::Succession& leaf, const Statement& statement) {
  const auto& end = statement.end;
  if (leaf.origin != end.origin || leaf.size != static_cast<std::int64_t>(end.size) ||
      leaf.root != base64_encode(end.root)) {
    return invalid("the first leaf names another end of the old log than the succession");
  }
  if (leaf.statement != digest(statement)) {
    return invalid("the first leaf does not name this succession");
  }
  return Ok{};
}

}  // namespace vouch::succession
