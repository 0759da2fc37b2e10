// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/log_reader.h"

#include <algorithm>
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

// The checkpoints that the log published: its newest, and the file of each size.
class Published {
 public:
  Published(const Files& files, const policy_file::Policy& policy, const LogPlace& place, Log& log)
      : files_(files), policy_(policy), place_(place), log_(log) {
    log_.key = place.key;
  }

  // Sets the head. Of an earlier log it is the end, which its newest checkpoint may lie above.
  std::optional<Failure> read_head() {
    const auto path = place_.folder + std::string(kCheckpoint);
    checkpoint::Signed newest;
    if (auto failure = open(path, newest)) return failure;
    log_.size_seen = newest.checkpoint.size;
    if (!place_.end) {
      log_.head = newest.checkpoint;
      return check_quorum(path, newest);
    }
    log_.head = *place_.end;
    const auto end_path =
        newest.checkpoint.size == place_.end->size ? path : path_of(place_.end->size);
    checkpoint::Signed end;
    if (auto failure = open(end_path, end)) return failure;
    if (end.checkpoint != *place_.end) {
      return fail("succession", end_path, "the next log's first leaf names another end");
    }
    return check_quorum(end_path, end);
  }

  // All others, in no order. Their roots are compared once the entries are read.
  std::optional<Failure> read_all(unsigned threads) {
    const auto folder = place_.folder + std::string(kCheckpoints);
    const auto names = files_.list(folder);
    if (!names) return fail("unreadable", folder, names.error().message);
    std::vector<std::string> sizes;
    for (const auto& name : *names) (name.ends_with(kTimeStamp) ? tokens_ : sizes).push_back(name);
    heads_.resize(sizes.size());
    return first_failure(sizes.size(), threads,
                         [&](std::size_t i) { return read_one(sizes[i], heads_[i]); });
  }

  // The time stamps of those that were read.
  std::optional<Failure> read_time_stamps(const TimeStampRoots* roots, unsigned threads) {
    if (roots == nullptr) {
      log_.time_stamps_unchecked = static_cast<std::int64_t>(tokens_.size());
      return std::nullopt;
    }
    std::map<std::uint64_t, const checkpoint::Checkpoint*> by_size;
    for (const auto& head : heads_) by_size.emplace(head.checkpoint.size, &head.checkpoint);
    std::vector<std::pair<std::uint64_t, TimeStamp>> stamps(tokens_.size());
    auto failure = first_failure(tokens_.size(), threads, [&](std::size_t i) {
      return read_time_stamp(tokens_[i], by_size, *roots, stamps[i]);
    });
    log_.time_stamps.insert(stamps.begin(), stamps.end());
    return failure;
  }

  std::optional<Failure> compare_roots() {
    for (const auto& head : heads_) {
      const auto& published = head.checkpoint;
      log_.size_seen = std::max(log_.size_seen, published.size);
      if (published.size > log_.head.size) continue;  // Of a restored log; not to be checked.
      if (log_.root_at(published.size) != published.root) {
        return fail("log-fork", path_of(published.size),
                    "the log signed another tree at this size");
      }
      log_.signatures[published.size] = head.log_signature;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::string path_of(std::uint64_t size) const {
    return fmt::format("{}{}/{}", place_.folder, kCheckpoints, size);
  }

  std::optional<Failure> open(const std::string& path, checkpoint::Signed& head) const {
    const auto bytes = files_.read(path, note::kNoteBytesMax);
    if (!bytes) return fail("checkpoint", path, bytes.error().message);
    auto opened = checkpoint::open(*bytes, log_.key, policy_.witness_keys());
    if (!opened) return fail("checkpoint-signature", path, opened.error().message);
    head = *std::move(opened);
    return std::nullopt;
  }

  std::optional<Failure> check_quorum(const std::string& path, const checkpoint::Signed& head) {
    if (!policy_file::quorum_met(policy_, head.witnesses)) {
      return fail("quorum", path, fmt::format("quorum {} is not met", policy_.quorum));
    }
    log_.signatures[log_.head.size] = head.log_signature;
    return std::nullopt;
  }

  template <class Body>
  static std::optional<Failure> first_failure(std::size_t count, unsigned threads,
                                              const Body& body) {
    std::vector<std::optional<Failure>> failures(count);
    parallel_for(count, threads, [&](std::size_t i) { failures[i] = body(i); });
    for (auto& failure : failures) {
      if (failure) return failure;
    }
    return std::nullopt;
  }

  std::optional<Failure> read_time_stamp(
      std::string_view name, const std::map<std::uint64_t, const checkpoint::Checkpoint*>& by_size,
      const TimeStampRoots& roots, std::pair<std::uint64_t, TimeStamp>& result) const {
    const auto path = fmt::format("{}{}/{}", place_.folder, kCheckpoints, name);
    name.remove_suffix(kTimeStamp.size());
    const auto size = parse_size(name);
    const auto head = size ? by_size.find(*size) : by_size.end();
    if (head == by_size.end()) {
      return fail("time-stamp", path, "there is no checkpoint of that size beside it");
    }
    const auto bytes = files_.read(path, kTimeStampBytesMax);
    if (!bytes) return fail("time-stamp", path, bytes.error().message);
    auto stamp = check_time_stamp(*bytes, checkpoint::write_text(*head->second), roots);
    if (!stamp) return fail("time-stamp", path, stamp.error().message);
    result = {*size, *std::move(stamp)};
    return std::nullopt;
  }

  std::optional<Failure> read_one(const std::string& name, checkpoint::Signed& head) const {
    const auto path = fmt::format("{}{}/{}", place_.folder, kCheckpoints, name);
    const auto size = parse_size(name);
    if (!size) return fail("checkpoint", path, "a file that is no checkpoint");
    if (*size > log_.head.size && !place_.end) {
      return fail("rollback", path,
                  fmt::format("a larger log of {} leaves was signed before", *size));
    }
    if (auto failure = open(path, head)) return failure;
    if (head.checkpoint.size != *size) return fail("checkpoint", path, "it is of another size");
    return std::nullopt;
  }

  const Files& files_;
  const policy_file::Policy& policy_;
  const LogPlace& place_;
  Log& log_;
  std::vector<checkpoint::Signed> heads_;
  std::vector<std::string> tokens_;  // Names.
};

// Hashes all entries, compares every tile, and hands the leaves on.
class Recomputation {
 public:
  Recomputation(const Files& files, std::string folder, Log& log, const LeafSink& sink)
      : files_(files), folder_(std::move(folder)), log_(log), sink_(sink) {
    log_.roots = merkle::empty_root();
  }

  std::optional<Failure> run() {
    auto appender = tile::Appender::open(nullptr, 0, merkle::empty_root());
    if (!appender) return fail("log", folder_ + std::string(kCheckpoint), appender.error().message);
    const auto size = log_.head.size;
    for (std::uint64_t first = 0; first < size; first += tile::kTileWidth) {
      const auto width = std::min(tile::kTileWidth, size - first);
      const auto path = folder_ + tile::tile_path({true, 0, first / tile::kTileWidth, width});
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
      const auto bytes = files_.read(folder_ + tile.path, tile::kTileBytesMax);
      if (bytes && *bytes == tile.bytes) continue;
      if (!tile_failure_) {
        tile_failure_ =
            fail("tile", folder_ + tile.path,
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
      leaf_failure_ = fail("leaf", fmt::format("{}leaf {}", folder_, index), leaf.error().message);
    } else {
      leaf_failure_ = sink_(index, *leaf);
    }
  }

  std::optional<Failure> judge(const merkle::Hash& root) {
    if (root != log_.head.root) {
      return fail("entries",
                  suspect_entries_.empty() ? folder_ + std::string(kCheckpoint) : suspect_entries_,
                  "the entries do not hash to the checkpoint's root");
    }
    if (tile_failure_) return tile_failure_;
    if (compared_ != tiles_of_head()) {
      return fail("tile", folder_ + std::string(kCheckpoint),
                  "not every tile of the log was recomputed");
    }
    return leaf_failure_;
  }

  const Files& files_;
  std::string folder_;
  Log& log_;
  const LeafSink& sink_;
  merkle::Frontier frontier_;
  std::uint64_t compared_ = 0;  // Tiles of the head, each once.
  std::optional<Failure> tile_failure_;
  std::optional<Failure> leaf_failure_;
  std::string suspect_entries_;
};

}  // namespace

std::optional<std::size_t> find_log(const Logs& logs, std::string_view origin) {
  for (std::size_t i = 0; i < logs.size(); ++i) {
    if (logs[i].key.name == origin) return i;
  }
  return std::nullopt;
}

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

std::optional<Failure> read_log(const Files& files, const Options& options,
                                const policy_file::Policy& policy, const LogPlace& place, Log& log,
                                const LeafSink& sink) {
  Published published(files, policy, place, log);
  if (auto failure = published.read_head()) return failure;
  if (auto failure = published.read_all(options.threads)) return failure;
  if (auto failure = published.read_time_stamps(options.time_stamp_roots, options.threads)) {
    return failure;
  }
  if (auto failure = Recomputation(files, place.folder, log, sink).run()) return failure;
  return published.compare_roots();
}

}  // namespace vouch::verify
