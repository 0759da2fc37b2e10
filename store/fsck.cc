// SPDX-License-Identifier: Apache-2.0
#include "store/fsck.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "core/encoding.h"
#include "proto/checkpoint.h"
#include "proto/drop_notice.h"
#include "proto/dsse.h"
#include "proto/leaf.h"
#include "proto/limits.h"
#include "proto/statement.h"
#include "proto/tile.h"
#include "store/evidence_files.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

using Digests = std::set<std::string, std::less<>>;

// A file that cannot be read for another reason than being lost or damaged ends the check.
bool is_fatal(const Error& error) {
  return error.code != Errc::not_found && error.code != Errc::corrupt &&
         error.code != Errc::invalid && error.code != Errc::too_large;
}

class Fsck {
 public:
  Fsck(Disk& disk, Index& index, const FaultSink& sink) : disk_(disk), index_(index), sink_(sink) {}

  Result<FsckCounts> run(const note::VerifierKey& vkey);

 private:
  Result<checkpoint::Checkpoint> head(const note::VerifierKey& vkey);
  Status check_earlier(const EarlierLog& log);
  Status check_log(const checkpoint::Checkpoint& head);
  Result<std::string> read_tile(const tile::TileId& id);
  Status check_hashes(int level, std::uint64_t index, const std::vector<merkle::Hash>& hashes);
  Result<std::vector<merkle::Hash>> leaf_hashes(std::uint64_t index, std::uint64_t width);
  Status check_entry(const std::string& entry);
  Status check(const leaf::Bundle& bundle);
  Status check_blob(const std::string& sha256, const std::string& agent, std::int64_t seq);
  Status check_statement(const std::string& digest);
  Status check_fork(const leaf::Fork& fork);
  Status read_drop(const leaf::Drop& drop);
  Status read_purge(const leaf::Purge& purge);
  bool is_excused(const Fault& fault, const std::string& sha256) const;
  // Notes the fault behind `error`; returns the error itself if the check cannot go on.
  Status fault(std::string name, const Error& error, std::string agent = "", std::int64_t seq = 0);
  void report(Fault fault) {
    ++counts_.faults;
    // The message says the name too, where it comes from below.
    if (fault.detail.starts_with(fault.name + ": ")) fault.detail.erase(0, fault.name.size() + 2);
    sink_(fault);
  }

  Disk& disk_;
  Index& index_;
  const FaultSink& sink_;
  FsckCounts counts_;
  std::string folder_;  // Of the log that is read; empty: the current.
  Digests seen_;        // Blobs that were looked at.
  std::vector<std::pair<std::string, Fault>> absent_;  // Blobs, until all drops are known.
  std::map<std::pair<std::string, std::int64_t>, Digests> dropped_;  // Empty set: all of them.
  Digests purged_;
};

Status Fsck::fault(std::string name, const Error& error, std::string agent, std::int64_t seq) {
  if (is_fatal(error)) return error;
  report({std::move(name), error.code == Errc::not_found, error.message, std::move(agent), seq});
  return Ok{};
}

// What the log must be: as published, or else, if that file is gone, as the index has it.
Result<checkpoint::Checkpoint> Fsck::head(const note::VerifierKey& vkey) {
  auto state = index_.log_state();
  if (!state) return std::move(state).error();
  const std::string name(layout::kCheckpoint);
  auto note = disk_.get(name, note::kNoteBytesMax);
  auto opened = note ? checkpoint::open(*note, vkey) : Result<checkpoint::Signed>(note.error());
  if (opened && opened->checkpoint.size <= state->size) return std::move(opened->checkpoint);
  auto noted = opened ? fault(name, {Errc::corrupt, "newer than the index: the index was set back"})
                      : fault(name, opened.error());
  if (!noted) return std::move(noted).error();
  return checkpoint::Checkpoint{vkey.name, state->size, state->root};
}

// The tile's bytes; a partial one may have been left out once the full one was there.
Result<std::string> Fsck::read_tile(const tile::TileId& id) {
  const std::size_t bytes_max = id.entries ? tile::kEntriesBytesMax : tile::kTileBytesMax;
  auto bytes = disk_.get(folder_ + tile::tile_path(id), bytes_max);
  if (bytes || bytes.error().code != Errc::not_found || id.width == tile::kTileWidth) return bytes;
  auto full = id;
  full.width = tile::kTileWidth;
  auto whole = disk_.get(folder_ + tile::tile_path(full), bytes_max);
  return whole ? whole : bytes;
}

// The end of a log that was succeeded, as its last checkpoint has it.
Status Fsck::check_earlier(const EarlierLog& log) {
  folder_ = "logs/" + log.name + "/";
  const std::string vkey_name = folder_ + std::string(layout::kLogVkey);
  auto text = disk_.get(vkey_name, note::kNoteBytesMax);
  if (!text) return fault(vkey_name, text.error());
  while (text->ends_with('\n')) text->pop_back();
  const auto vkey = note::parse_vkey(*text);
  if (!vkey) return fault(vkey_name, vkey.error());
  const std::string name = folder_ + std::string(layout::kCheckpoint);
  auto note = disk_.get(name, note::kNoteBytesMax);
  auto opened = note ? checkpoint::open(*note, *vkey) : Result<checkpoint::Signed>(note.error());
  if (!opened) return fault(name, opened.error());
  if (opened->checkpoint.size != log.size) {
    return fault(name, {Errc::corrupt, "not of the size at which the log ended"});
  }
  return check_log(opened->checkpoint);
}

Status Fsck::check_hashes(int level, std::uint64_t index, const std::vector<merkle::Hash>& hashes) {
  const tile::TileId id{false, level, index, hashes.size()};
  auto bytes = read_tile(id);
  if (!bytes) return fault(folder_ + tile::tile_path(id), bytes.error());
  if (bytes->starts_with(tile::write_hashes(hashes))) return Ok{};
  return fault(folder_ + tile::tile_path(id),
               {Errc::corrupt, "not the hashes of what lies below it"});
}

// Of one bundle of entries, whose leaves are checked; if it cannot be read, from the tile above it.
Result<std::vector<merkle::Hash>> Fsck::leaf_hashes(std::uint64_t index, std::uint64_t width) {
  std::vector<merkle::Hash> hashes;
  const tile::TileId id{true, 0, index, width};
  auto bytes = read_tile(id);
  auto entries =
      bytes ? tile::parse_entries(*bytes, width) : Result<std::vector<std::string>>(bytes.error());
  if (entries) {
    for (const auto& entry : *entries) hashes.push_back(merkle::leaf_hash(entry));
    for (const auto& entry : *entries) {
      auto checked = check_entry(entry);
      if (!checked) return std::move(checked).error();
    }
    return hashes;
  }
  auto noted = fault(folder_ + tile::tile_path(id), entries.error());
  if (!noted) return std::move(noted).error();
  auto tile = read_tile({false, 0, index, width});
  auto above =
      tile ? tile::parse_hashes(*tile, width) : Result<std::vector<merkle::Hash>>(tile.error());
  if (!above && is_fatal(above.error())) return above;
  return above ? *std::move(above) : hashes;
}

Status Fsck::check_log(const checkpoint::Checkpoint& head) {
  counts_.leaves += head.size;
  merkle::Frontier tree;
  std::vector<std::vector<merkle::Hash>> levels(1);  // The unfinished tile of each.
  std::vector<std::uint64_t> next{0};                // Its index.
  const auto finish_tile = [&](std::size_t level) {
    auto checked = check_hashes(static_cast<int>(level), next[level], levels[level]);
    ++next[level];
    return checked;
  };
  for (std::uint64_t index = 0; index * tile::kTileWidth < head.size; ++index) {
    const auto width = std::min(tile::kTileWidth, head.size - index * tile::kTileWidth);
    auto hashes = leaf_hashes(index, width);
    if (!hashes) return std::move(hashes).error();
    if (hashes->size() != width) return Ok{};  // Reported; nothing above it can be computed.
    for (const auto& hash : *hashes) tree.append(hash);
    levels[0] = *std::move(hashes);
    for (std::size_t level = 0; levels[level].size() == tile::kTileWidth; ++level) {
      auto checked = finish_tile(level);
      if (!checked) return checked;
      if (level + 1 == levels.size()) {
        levels.emplace_back();
        next.push_back(0);
      }
      auto top = merkle::root(merkle::node_reader(levels[level]), tile::kTileWidth);
      if (!top) return std::move(top).error();
      levels[level + 1].push_back(*std::move(top));
      levels[level].clear();
    }
  }
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (levels[level].empty()) continue;
    auto checked = finish_tile(level);
    if (!checked) return checked;
  }
  if (head.size > 0 && tree.root() != head.root) {
    return fault(folder_ + std::string(layout::kCheckpoint),
                 {Errc::corrupt, "its root is not that of the entries"});
  }
  return Ok{};
}

Status Fsck::check_entry(const std::string& entry) {
  auto leaf = leaf::parse(entry);
  if (!leaf) return Ok{};  // Its tile says that it is damaged.
  const auto& body = leaf->body;
  if (const auto* bundle = std::get_if<leaf::Bundle>(&body)) return check(*bundle);
  if (const auto* enrol = std::get_if<leaf::Enrol>(&body)) return check_statement(enrol->statement);
  if (const auto* repin = std::get_if<leaf::Repin>(&body)) {
    return check_statement(repin->enrol.statement);
  }
  if (const auto* fork = std::get_if<leaf::Fork>(&body)) return check_fork(*fork);
  if (const auto* drop = std::get_if<leaf::Drop>(&body)) return read_drop(*drop);
  if (const auto* purge = std::get_if<leaf::Purge>(&body)) return read_purge(*purge);
  if (const auto* revoke = std::get_if<leaf::Revoke>(&body)) return check_blob(revoke->note, "", 0);
  if (const auto* gone = std::get_if<leaf::Decommission>(&body)) {
    return check_blob(gone->note, "", 0);
  }
  return Ok{};
}

Status Fsck::check(const leaf::Bundle& bundle) {
  ++counts_.bundles;
  auto bytes = read_bundle(disk_, index_, bundle.agent, bundle.seq, bundle.id);
  if (!bytes) {
    return fault(layout::bundle_path(bundle.agent, bundle.seq), bytes.error(), bundle.agent,
                 bundle.seq);
  }
  const auto statement = parse_statement(dsse::parse(*bytes)->payload);
  if (!statement) return Ok{};  // Of a version to come; its bytes are there.
  for (const auto& subject : statement->subject) {
    auto checked = check_blob(subject.sha256, bundle.agent, bundle.seq);
    if (!checked) return checked;
  }
  return Ok{};
}

Status Fsck::check_blob(const std::string& sha256, const std::string& agent, std::int64_t seq) {
  if (!seen_.insert(sha256).second) return Ok{};
  ++counts_.blobs;
  auto bytes = read_blob(disk_, index_, sha256);
  if (bytes) return Ok{};
  if (is_fatal(bytes.error())) return std::move(bytes).error();
  const bool lost = bytes.error().code == Errc::not_found;
  const Fault found{layout::blob_path(sha256), lost, bytes.error().message, agent, seq};
  if (!lost) {
    report(found);
  } else {
    absent_.emplace_back(sha256, found);
    seen_.erase(sha256);  // Each bundle that names it has to be excused by itself.
  }
  return Ok{};
}

Status Fsck::check_statement(const std::string& digest) {
  const auto name = layout::statement_path(digest);
  auto bytes = read_kept(disk_, index_, name, drop_notice::kNoticeBytesMax);
  if (!bytes) return fault(name, bytes.error());
  const auto envelope = dsse::parse(*bytes);
  if (envelope && dsse::bundle_id(*envelope) == digest) return Ok{};
  return fault(name, {Errc::corrupt, "not the statement that the log holds"});
}

Status Fsck::check_fork(const leaf::Fork& fork) {
  const auto name = layout::fork_path(fork.agent, fork.seq, fork.other_id);
  auto bytes = read_kept(disk_, index_, name, kEnvelopeBytesMax);
  if (!bytes) return fault(name, bytes.error(), fork.agent, fork.seq);
  const auto envelope = dsse::parse(*bytes);
  if (envelope && dsse::bundle_id(*envelope) == fork.other_id) return Ok{};
  return fault(name, {Errc::corrupt, "not the branch that the log holds"}, fork.agent, fork.seq);
}

Status Fsck::read_drop(const leaf::Drop& drop) {
  auto& digests = dropped_[{drop.agent, drop.seq}];
  if (!drop.statement) return Ok{};
  auto checked = check_statement(*drop.statement);
  if (!checked) return checked;
  const auto bytes = read_kept(disk_, index_, layout::statement_path(*drop.statement),
                               drop_notice::kNoticeBytesMax);
  const auto opened =
      bytes ? drop_notice::parse(*bytes) : Result<drop_notice::Opened>(bytes.error());
  if (!opened) return Ok{};  // Reported.
  for (const auto& subject : opened->notice.lost) digests.insert(subject.sha256);
  return Ok{};
}

// The manifest of a purge: digests, one per line.
Status Fsck::read_purge(const leaf::Purge& purge) {
  auto checked = check_blob(purge.manifest, "", 0);
  if (!checked) return checked;
  const auto bytes = read_blob(disk_, index_, purge.manifest);
  std::string_view rest = bytes ? std::string_view(*bytes) : std::string_view();
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    if (is_hex_digest(line)) purged_.emplace(line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return Ok{};
}

bool Fsck::is_excused(const Fault& fault, const std::string& sha256) const {
  if (purged_.count(sha256) != 0) return true;
  const auto dropped = dropped_.find({fault.agent, fault.seq});
  return dropped != dropped_.end() &&
         (dropped->second.empty() || dropped->second.count(sha256) != 0);
}

Result<FsckCounts> Fsck::run(const note::VerifierKey& vkey) {
  auto earlier = index_.earlier_logs();
  if (!earlier) return std::move(earlier).error();
  for (const auto& log : *earlier) {
    auto checked = check_earlier(log);
    if (!checked) return std::move(checked).error();
  }
  folder_.clear();
  auto found = head(vkey);
  if (!found) return std::move(found).error();
  auto log = check_log(*found);
  if (!log) return std::move(log).error();
  Digests told;
  for (const auto& [sha256, fault] : absent_) {
    if (is_excused(fault, sha256)) {
      ++counts_.dropped;
    } else if (told.insert(sha256).second) {
      report(fault);
    }
  }
  return counts_;
}

}  // namespace

Result<FsckCounts> check_files(Disk& disk, Index& index, const note::VerifierKey& vkey,
                               const FaultSink& sink) {
  return Fsck(disk, index, sink).run(vkey);
}

}  // namespace vouch::store
