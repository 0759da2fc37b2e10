// SPDX-License-Identifier: Apache-2.0
// What a collector prints, whole and byte by byte: both give the same answer, and every blob of a
// snapshot is a valid table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proto/collector_protocol.h"

namespace {

vouch::Manifest make_manifest() {
  vouch::TableSchema users;
  users.name = "users";
  users.key = {"name"};
  users.columns.resize(3);
  users.columns[0].name = "name";
  users.columns[1].name = "uid";
  users.columns[1].type = vouch::ColumnType::integer;
  users.columns[2].name = "home";
  users.columns[2].type = vouch::ColumnType::bytes;
  users.columns[2].nullable = true;
  users.columns[2].null_means = "none";
  users.columns[2].redact = vouch::Redaction::command;
  vouch::Manifest manifest;
  manifest.name = "a";
  manifest.tables = {users};
  return manifest;
}

using Answer = std::variant<vouch::Snapshot, vouch::RunViolation>;

Answer parse(const vouch::Manifest& manifest, std::string_view bytes, std::size_t step) {
  vouch::RunRequest request;
  request.tables = {"users", "gaps"};
  request.cache = {{"users", "t"}};
  vouch::OutputParser parser(manifest, request);
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    if (!parser.feed(piece)) break;
  }
  return parser.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kManifest = make_manifest();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)vouch::parse_manifest(bytes);
  (void)vouch::parse_request(bytes);
  const auto whole = parse(kManifest, bytes, bytes.size() + 1);
  const auto pieces = parse(kManifest, bytes, 1);
  if (whole.index() != pieces.index()) std::abort();
  if (const auto* violation = std::get_if<vouch::RunViolation>(&whole)) {
    const auto& other = std::get<vouch::RunViolation>(pieces);
    if (violation->reason != other.reason || violation->line != other.line) std::abort();
    return 0;
  }
  for (const auto& table : std::get<vouch::Snapshot>(whole).tables) {
    if (table.kind != vouch::TableAnswer::Kind::table) continue;
    const auto rows = vouch::check_table(*kManifest.find(table.name), table.blob.bytes);
    if (!rows || *rows != table.blob.rows) std::abort();
  }
  return 0;
}
