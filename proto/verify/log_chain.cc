// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/log_chain.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "proto/succession.h"
#include "proto/tile.h"

namespace vouch::verify {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kLogVkey = "log.vkey";
constexpr std::string_view kLogs = "logs";
constexpr std::string_view kSuccessions = "successions";
constexpr std::size_t kVkeyBytesMax = 4096;

Failure fail(std::string_view reason, std::string where, std::string detail) {
  return {std::string(reason), std::move(where), std::move(detail)};
}

// "log1" of "store.example.com/log1": the name of its folder. Empty if it can be none.
std::string_view short_name(std::string_view origin) {
  const auto name = origin.substr(origin.rfind('/') + 1);  // npos + 1 = 0.
  return name == "." || name == ".." ? std::string_view() : name;
}

std::string statement_path(std::string_view old_origin) {
  return fmt::format("{}/{}", kSuccessions, short_name(old_origin));
}

// What the checkpoint in the folder says, signed or not.
std::optional<Failure> peek_head(const Files& files, const std::string& folder,
                                 checkpoint::Checkpoint& head) {
  const auto path = folder + std::string(kCheckpoint);
  const auto bytes = files.read(path, note::kNoteBytesMax);
  if (!bytes) return fail("checkpoint", path, bytes.error().message);
  const auto note = note::parse_note(*bytes);
  if (!note) return fail("checkpoint", path, note.error().message);
  auto text = checkpoint::parse_text(note->text);
  if (!text) return fail("checkpoint", path, text.error().message);
  head = *std::move(text);
  return std::nullopt;
}

// The first leaf of the log of `size`, if it is a succession. Unproved, and what is wrong with it
// is said where the log is read.
std::optional<leaf::Succession> peek_first(const Files& files, const std::string& folder,
                                           std::uint64_t size) {
  if (size == 0) return std::nullopt;
  const auto width = std::min(size, tile::kTileWidth);
  const auto bytes =
      files.read(folder + tile::tile_path({true, 0, 0, width}), tile::kEntriesBytesMax);
  if (!bytes) return std::nullopt;
  const auto entries = tile::parse_entries(*bytes, width);
  if (!entries) return std::nullopt;
  const auto first = leaf::parse(entries->front());
  if (!first) return std::nullopt;
  const auto* succession = std::get_if<leaf::Succession>(&first->body);
  return succession == nullptr ? std::nullopt : std::optional(*succession);
}

Result<checkpoint::Checkpoint> end_of(const leaf::Succession& leaf) {
  auto root = base64_decode(leaf.root);
  if (!root || root->size() != merkle::kHashBytes) return Error{Errc::invalid, "root is no hash"};
  return checkpoint::Checkpoint{leaf.origin, static_cast<std::uint64_t>(leaf.size),
                                *std::move(root)};
}

// Newest first.
std::optional<Failure> walk_back(const Files& files, std::vector<LogPlace>& places) {
  std::set<std::string> origins;
  LogPlace place;
  checkpoint::Checkpoint head;
  if (auto failure = peek_head(files, "", head)) return failure;
  place.origin = head.origin;
  auto size = head.size;
  while (true) {
    if (!origins.insert(place.origin).second || origins.size() > kLogsMax) {
      return fail("succession", place.origin, "the logs do not follow each other in one line");
    }
    const auto first = place.first = peek_first(files, place.folder, size);
    places.push_back(std::exchange(place, {}));
    if (!first) return std::nullopt;
    auto end = end_of(*first);
    if (!end) return fail("succession", "leaf 0", end.error().message);
    if (short_name(end->origin).empty()) {
      return fail("succession", "leaf 0", "the old log's origin names no folder");
    }
    place.origin = end->origin;
    place.folder = fmt::format("{}/{}/", kLogs, short_name(end->origin));
    if (auto failure = peek_head(files, place.folder, head)) return failure;
    if (head.origin != end->origin) {
      return fail(
          "succession", place.folder + std::string(kCheckpoint),
          fmt::format("it is of {}, the log after it succeeds {}", head.origin, end->origin));
    }
    size = end->size;
    place.end = *std::move(end);
  }
}

std::optional<Failure> find_key(const Files& files, const policy_file::Policy& policy,
                                LogPlace& place, bool& trusted) {
  for (const auto& log : policy.logs) {
    if (log.key.name == place.origin) place.key = log.key;
  }
  trusted = !place.key.name.empty();
  if (trusted) return std::nullopt;
  const auto path = place.folder + std::string(kLogVkey);
  auto text = files.read(path, kVkeyBytesMax);
  if (!text) return fail("policy", path, text.error().message);
  if (text->ends_with('\n')) text->pop_back();
  auto key = note::parse_vkey(*text);
  if (!key) return fail("policy", path, key.error().message);
  if (key->name != place.origin) return fail("policy", path, "it is the key of another log");
  place.key = *std::move(key);
  return std::nullopt;
}

// The statement that hands `before` over to `place`, if there is one.
std::optional<Failure> read_statement(const Files& files, const LogPlace& before, LogPlace& place) {
  const auto path = statement_path(before.origin);
  const auto bytes = files.read(path, note::kNoteBytesMax);
  if (!bytes && bytes.error().code == Errc::not_found && !place.first->statement) {
    return std::nullopt;
  }
  if (!bytes) return fail("succession", path, bytes.error().message);
  const auto signed_note = succession::open(*bytes, before.key);
  if (!signed_note) return fail("succession", path, signed_note.error().message);
  const auto ok = succession::check_leaf(*place.first, signed_note->statement);
  if (!ok) return fail("succession", path, ok.error().message);
  if (signed_note->statement.successor != place.key) {
    return fail("succession", path, "it hands over to another key than that of the next log");
  }
  place.stated = true;
  return std::nullopt;
}

// Each entry of the two folders must be of the chain.
std::optional<Failure> refuse_strangers(const Files& files, const std::vector<LogPlace>& places) {
  std::set<std::string, std::less<>> known;
  for (const auto& place : places) {
    if (place.end) known.insert(std::string(short_name(place.origin)));
  }
  for (const auto folder : {kLogs, kSuccessions}) {
    const auto names = files.list(std::string(folder));
    if (!names) return fail("unreadable", std::string(folder), names.error().message);
    for (const auto& name : *names) {
      if (known.contains(name)) continue;
      return fail("succession", fmt::format("{}/{}", folder, name),
                  "the current log does not succeed that one");
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> find_logs(const Files& files, const policy_file::Policy& policy,
                                 std::vector<LogPlace>& places) {
  if (auto failure = walk_back(files, places)) return failure;
  std::ranges::reverse(places);
  if (auto failure = refuse_strangers(files, places)) return failure;
  bool forwards = false;  // A pinned log, or one that statements lead to from there.
  for (std::size_t i = 0; i < places.size(); ++i) {
    bool pinned = false;
    if (auto failure = find_key(files, policy, places[i], pinned)) return failure;
    if (i > 0) {
      if (auto failure = read_statement(files, places[i - 1], places[i])) return failure;
    }
    forwards = pinned || (forwards && places[i].stated);
  }
  // The logs before a trusted one are bound by the end that its first leaf names.
  if (!forwards) {
    return fail("origin", std::string(kCheckpoint),
                fmt::format("{} is no log of the policy, and no statement leads to it from one",
                            places.back().origin));
  }
  return std::nullopt;
}

}  // namespace vouch::verify
