// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/log_reader.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "proto/tile.h"
#include "proto/verify/parallel.h"

namespace vouch::verify {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kCheckpoints = "checkpoints";
constexpr std::string_view kLogVkey = "log.vkey";
constexpr std::string_view kTimeStamp = ".tsr";
constexpr std::size_t kVkeyBytesMax = 4096;
constexpr int kTileLevelBits = 8;  // A tile is 256 hashes wide.

Failure fail(std::string_view reason, std::string_view where, std::string detail) {
  return {std::string(reason), std::string(where), std::move(detail)};
}

std::optional<std::uint64_t> parse_size(std::string_view name) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), size);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  if (std::to_string(size) != name) return std::nullopt;
  return size;
}

// What this version cannot judge must not pass unseen.
std::optional<Failure> refuse_unsupported(const Files& files) {
  for (const std::string name : {"logs", "successions"}) {
    const auto entries = files.list(name);
    if (!entries) return fail("unreadable", name, entries.error().message);
    if (!entries->empty()) {
      return fail("unsupported", name, "a succession of logs is not supported by this verifier");
    }
  }
  return std::nullopt;
}

std::optional<Failure> read_head(const Files& files, Log& log) {
  const auto bytes = files.read(std::string(kCheckpoint), note::kNoteBytesMax);
  if (!bytes) return fail("checkpoint", kCheckpoint, bytes.error().message);
  const auto note = note::parse_note(*bytes);
  if (!note) return fail("checkpoint", kCheckpoint, note.error().message);
  const auto text = checkpoint::parse_text(note->text);
  if (!text) return fail("checkpoint", kCheckpoint, text.error().message);
  for (const auto& one : log.policy.logs) {
    if (one.key.name == text->origin) log.key = one.key;
  }
  if (log.key.name.empty()) {
    return fail("origin", kCheckpoint, fmt::format("{} is no log of the policy", text->origin));
  }
  auto opened = checkpoint::open(*bytes, log.key, log.policy.witness_keys());
  if (!opened) return fail("checkpoint-signature", kCheckpoint, opened.error().message);
  if (!policy_file::quorum_met(log.policy, opened->witnesses)) {
    return fail("quorum", kCheckpoint, fmt::format("quorum {} is not met", log.policy.quorum));
  }
  log.head = opened->checkpoint;
  log.signatures[log.head.size] = opened->log_signature;
  return std::nullopt;
}

using Heads = std::vector<std::optional<checkpoint::Signed>>;

// Every checkpoint that was ever published, in no order. Roots are compared later.
std::optional<Failure> read_published(const Files& files, const Options& options, const Log& log,
                                      Heads& heads) {
  const auto names = files.list(std::string(kCheckpoints));
  if (!names) return fail("unreadable", kCheckpoints, names.error().message);
  std::vector<std::optional<Failure>> failures(names->size());
  heads.resize(names->size());
  const auto witnesses = log.policy.witness_keys();

  const auto read_one = [&](std::size_t i) -> std::optional<Failure> {
    const auto path = fmt::format("{}/{}", kCheckpoints, (*names)[i]);
    if (path.ends_with(kTimeStamp)) {
      return fail("unsupported", path, "RFC 3161 time stamps are not supported by this verifier");
    }
    const auto size = parse_size((*names)[i]);
    if (!size) return fail("checkpoint", path, "a file that is no checkpoint");
    if (*size > log.head.size) {
      return fail("rollback", path,
                  fmt::format("a larger log of {} leaves was signed before", *size));
    }
    const auto bytes = files.read(path, note::kNoteBytesMax);
    if (!bytes) return fail("checkpoint", path, bytes.error().message);
    auto opened = checkpoint::open(*bytes, log.key, witnesses);
    if (!opened) return fail("checkpoint-signature", path, opened.error().message);
    if (opened->checkpoint.size != *size) return fail("checkpoint", path, "it is of another size");
    heads[i] = *std::move(opened);
    return std::nullopt;
  };
  parallel_for(names->size(), options.threads, [&](std::size_t i) { failures[i] = read_one(i); });
  for (auto& failure : failures) {
    if (failure) return failure;
  }
  return std::nullopt;
}

// Hashes all entries, compares every tile, and hands the leaves on.
class Recomputation {
 public:
  Recomputation(const Files& files, Log& log, const LeafSink& sink)
      : files_(files), log_(log), sink_(sink) {
    log_.roots = merkle::empty_root();
  }

  std::optional<Failure> run() {
    auto appender = tile::Appender::open(nullptr, 0, merkle::empty_root());
    if (!appender) return fail("log", kCheckpoint, appender.error().message);
    const auto size = log_.head.size;
    for (std::uint64_t first = 0; first < size; first += tile::kTileWidth) {
      const auto width = std::min(tile::kTileWidth, size - first);
      const auto path = tile::tile_path({true, 0, first / tile::kTileWidth, width});
      const auto bytes = files_.read(path, tile::kEntriesBytesMax);
      if (!bytes) return fail("entries", path, bytes.error().message);
      const auto entries = tile::parse_entries(*bytes, width);
      if (!entries) return fail("entries", path, entries.error().message);
      auto [next, growth] = appender->append(*entries);
      *appender = std::move(next);
      compare_tiles(growth.files, path);
      for (std::uint64_t i = 0; i < entries->size(); ++i) take(first + i, (*entries)[i]);
    }
    return judge(appender->root());
  }

 private:
  // Hashes of a tile level at the head. What the head claims costs nothing until entries back it.
  [[nodiscard]] std::uint64_t hashes_of_head(int level) const {
    const int shift = level * kTileLevelBits;
    return shift < 64 ? log_.head.size >> shift : 0;
  }
  [[nodiscard]] std::uint64_t tiles_of_head() const {
    std::uint64_t tiles = 0;
    for (int level = 0; hashes_of_head(level) > 0; ++level) {
      const auto hashes = hashes_of_head(level);
      tiles += hashes / tile::kTileWidth + (hashes % tile::kTileWidth == 0 ? 0 : 1);
    }
    return tiles;
  }
  [[nodiscard]] bool is_of_head(const std::string& path) const {
    const auto id = tile::parse_tile_path(path);
    if (!id || id->entries) return false;
    const auto hashes = hashes_of_head(id->level);
    return id->width == tile::kTileWidth || id->index * tile::kTileWidth + id->width == hashes;
  }

  void compare_tiles(const std::vector<tile::TileFile>& tiles, const std::string& entries_path) {
    for (const auto& tile : tiles) {
      if (!is_of_head(tile.path)) continue;  // A partial tile of another size.
      ++compared_;
      const auto bytes = files_.read(tile.path, tile::kTileBytesMax);
      if (bytes && *bytes == tile.bytes) continue;
      if (!tile_failure_) {
        tile_failure_ =
            fail("tile", tile.path,
                 bytes ? "its hashes are not those of the entries" : bytes.error().message);
        suspect_entries_ = entries_path;
      }
    }
  }

  void take(std::uint64_t index, const std::string& entry) {
    frontier_.append(merkle::leaf_hash(entry));
    log_.roots += frontier_.root();
    if (leaf_failure_) return;
    const auto leaf = leaf::parse(entry);
    if (!leaf) {
      leaf_failure_ = fail("leaf", fmt::format("leaf {}", index), leaf.error().message);
    } else {
      leaf_failure_ = sink_(index, *leaf);
    }
  }

  std::optional<Failure> judge(const merkle::Hash& root) {
    if (root != log_.head.root) {
      return fail("entries", suspect_entries_.empty() ? kCheckpoint : suspect_entries_,
                  "the entries do not hash to the checkpoint's root");
    }
    if (tile_failure_) return tile_failure_;
    if (compared_ != tiles_of_head()) {
      return fail("tile", kCheckpoint, "not every tile of the log was recomputed");
    }
    return leaf_failure_;
  }

  const Files& files_;
  Log& log_;
  const LeafSink& sink_;
  merkle::Frontier frontier_;
  std::uint64_t compared_ = 0;  // Tiles of the head, each once.
  std::optional<Failure> tile_failure_;
  std::optional<Failure> leaf_failure_;
  std::string suspect_entries_;
};

}  // namespace

std::string_view Log::root_at(std::uint64_t size) const {
  return std::string_view(roots).substr(size * merkle::kHashBytes, merkle::kHashBytes);
}

std::optional<Failure> read_anchors(const Files& files, const Options& options, Verdict& verdict,
                                    policy_file::Policy& policy) {
  if (options.policy) {
    auto parsed = policy_file::parse(*options.policy);
    if (!parsed) return fail("policy", "policy file", parsed.error().message);
    policy = *std::move(parsed);
    if (policy.logs.empty()) return fail("policy", "policy file", "it names no log");
    return std::nullopt;
  }
  verdict.anchors_from_export = true;
  auto text = files.read(std::string(kLogVkey), kVkeyBytesMax);
  if (!text) return fail("policy", kLogVkey, text.error().message);
  if (text->ends_with('\n')) text->pop_back();
  auto key = note::parse_vkey(*text);
  if (!key) return fail("policy", kLogVkey, key.error().message);
  policy = {{{*std::move(key), ""}}, {}, {}, "none"};
  return std::nullopt;
}

std::optional<Failure> read_log(const Files& files, const Options& options, Log& log,
                                const LeafSink& sink) {
  if (auto failure = refuse_unsupported(files)) return failure;
  if (auto failure = read_head(files, log)) return failure;
  Heads heads;
  if (auto failure = read_published(files, options, log, heads)) return failure;
  if (auto failure = Recomputation(files, log, sink).run()) return failure;
  for (const auto& head : heads) {
    const auto& published = head->checkpoint;
    if (log.root_at(published.size) != published.root) {
      return fail("log-fork", fmt::format("{}/{}", kCheckpoints, published.size),
                  "the log signed another tree at this size");
    }
    log.signatures[published.size] = head->log_signature;
  }
  return std::nullopt;
}

}  // namespace vouch::verify
