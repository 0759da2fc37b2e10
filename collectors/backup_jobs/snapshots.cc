// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/snapshots.h"

#include <utility>

#include "core/encoding.h"
#include "core/json.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kSnapshotsMax = 500000;

Result<std::vector<std::string>> get_texts(const json::Value& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::Value* value = object.find(key);
  if (value == nullptr || value->is_null())
    return texts;  // restic leaves out or nulls empty lists.
  const json::Array* items = value->if_array();
  if (items == nullptr) return Error{Errc::invalid, "member \"" + std::string(key) + "\": no list"};
  for (const json::Value& item : *items) {
    const std::string* text = item.if_string();
    if (text == nullptr)
      return Error{Errc::invalid, "member \"" + std::string(key) + "\": no text"};
    texts.push_back(*text);
  }
  return texts;
}

Result<Snapshot> parse_snapshot(const json::Value& value) {
  Snapshot snapshot;
  auto id = json::get_string(value, "id");
  if (!id) return id.error();
  if (!is_hex_digest(*id)) return Error{Errc::invalid, "member \"id\": no snapshot's name"};
  auto time = json::get_string(value, "time");
  if (!time) return time.error();
  const auto second = parse_restic_time(*time);
  if (!second) return second.error();
  auto hostname = json::get_string(value, "hostname");
  if (!hostname) return hostname.error();
  auto tree = json::get_string(value, "tree");
  if (!tree) return tree.error();
  auto paths = get_texts(value, "paths");
  if (!paths) return paths.error();
  auto tags = get_texts(value, "tags");
  if (!tags) return tags.error();
  snapshot.id = *std::move(id);
  snapshot.time = *second;
  snapshot.hostname = *std::move(hostname);
  snapshot.tree = *std::move(tree);
  snapshot.paths = *std::move(paths);
  snapshot.tags = *std::move(tags);
  if (const json::Value* summary = value.find("summary"); summary != nullptr) {
    if (const auto files = json::get_integer(*summary, "total_files_processed"))
      snapshot.files = *files;
    if (const auto bytes = json::get_integer(*summary, "total_bytes_processed"))
      snapshot.bytes = *bytes;
  }
  return snapshot;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

Result<WallSeconds> parse_restic_time(std::string_view text) {
  const Error bad{Errc::invalid, "member \"time\": no time"};
  constexpr std::size_t kSecondBytes = 19;  // "2026-11-21T20:15:00"
  if (text.size() <= kSecondBytes) return bad;
  const auto second = parse_second(std::string(text.substr(0, kSecondBytes)) + "Z");
  if (!second) return bad;
  auto rest = text.substr(kSecondBytes);
  if (rest.front() == '.') {
    const auto end = rest.find_first_not_of("0123456789", 1);
    if (end == rest.npos || end == 1) return bad;
    rest.remove_prefix(end);
  }
  if (rest == "Z") return *second;
  const bool has_form = rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
                        (std::string(rest.substr(1, 2)) + std::string(rest.substr(4)))
                                .find_first_not_of("0123456789") == std::string::npos;
  if (!has_form) return bad;
  const int hours = (rest[1] - '0') * 10 + (rest[2] - '0');
  const int minutes = (rest[4] - '0') * 10 + (rest[5] - '0');
  if (hours > 23 || minutes > 59) return bad;
  const WallSeconds offset = hours * 3600 + minutes * 60;
  return rest[0] == '+' ? *second - offset : *second + offset;
}

Result<std::vector<Snapshot>> parse_snapshots(std::string_view json_text) {
  const auto value = json::parse(json_text);
  if (!value) return Error(value.error()).in("restic's answer");
  std::vector<Snapshot> snapshots;
  if (value->is_null()) return snapshots;  // Some versions print null for none.
  const json::Array* items = value->if_array();
  if (items == nullptr) return Error{Errc::invalid, "restic's answer: no list of snapshots"};
  if (items->size() > kSnapshotsMax) return Error{Errc::too_large, "over 500000 snapshots"};
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto snapshot = parse_snapshot((*items)[i]);
    if (!snapshot) {
      return std::move(snapshot).error().in("restic's answer: snapshot " + std::to_string(i + 1));
    }
    snapshots.push_back(*std::move(snapshot));
  }
  return snapshots;
}

Error explain_failure(int exit_code, std::string_view standard_error) {
  // From version 0.17 on the status tells; before, only the text does.
  if (exit_code == 12 || contains(standard_error, "wrong password")) {
    return {Errc::denied, "wrong password: the password file does not open the repository"};
  }
  if (exit_code == 11 || contains(standard_error, "already locked")) {
    return {Errc::unavailable, "the repository is locked"};
  }
  if (contains(standard_error, "Resolving password failed")) {
    return {Errc::denied, "the password file cannot be read"};
  }
  for (const std::string_view mark : {"connection refused", "no such host", "i/o timeout",
                                      "network is unreachable", "no route to host", "ssh: "}) {
    if (contains(standard_error, mark))
      return {Errc::unavailable, "the repository cannot be reached"};
  }
  if (contains(standard_error, "ermission denied") || contains(standard_error, "Access Denied") ||
      contains(standard_error, "403 Forbidden") || contains(standard_error, "401 Unauthorized")) {
    return {Errc::denied, "access to the repository is refused"};
  }
  if (exit_code == 10 ||
      contains(standard_error, "Is there a repository at the following location")) {
    return {Errc::not_found, "there is no repository at this address"};
  }
  if (contains(standard_error, "parsing repository location failed")) {
    return {Errc::invalid, "restic does not understand the repository's address"};
  }
  return {Errc::tool_failed, "restic ended with status " + std::to_string(exit_code)};
}

bool left_out_snapshots(std::string_view standard_error) {
  return contains(standard_error, "could not load snapshot") ||
         contains(standard_error, "invalid data returned");
}

}  // namespace vouch::backup_jobs
