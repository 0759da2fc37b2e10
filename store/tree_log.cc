// SPDX-License-Identifier: Apache-2.0
#include "store/tree_log.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "proto/checkpoint.h"
#include "proto/signing_key.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

constexpr std::string_view kNeverContinue =
    "a log that was set back must not be continued: restore a newer copy of the directory, or "
    "start "
    "a successor log";

Status write_checkpoint(Disk& disk, std::uint64_t size, const std::string& note) {
  // The numbered copy first: whoever sees the new head can also fetch it by its size.
  auto written =
      disk.put({{layout::checkpoint_path(size), note}, {std::string(layout::kCheckpoint), note}});
  if (!written) return std::move(written).error().in("write checkpoint");
  return Ok{};
}

// What was signed last, as the disk has it; nothing if no checkpoint was ever written, or the power
// failed before the last one reached the disk: some file systems then leave a file without bytes.
Result<std::optional<checkpoint::Checkpoint>> last_signed(Disk& disk,
                                                          const note::VerifierKey& vkey) {
  auto note = disk.get(std::string(layout::kCheckpoint), note::kNoteBytesMax);
  if (!note) {
    if (note.error().code == Errc::not_found) return std::optional<checkpoint::Checkpoint>();
    return std::move(note).error();
  }
  if (note->find_first_not_of('\0') == std::string::npos) {
    return std::optional<checkpoint::Checkpoint>();
  }
  auto opened = checkpoint::open(*note, vkey);
  if (!opened) {
    return Error{Errc::corrupt,
                 "the checkpoint on the disk is not of this log: " + opened.error().message};
  }
  return std::optional<checkpoint::Checkpoint>(std::move(opened->checkpoint));
}

// The tree that was signed last must be a prefix of the one in the index.
Status require_not_set_back(const LogState& state, const checkpoint::Checkpoint& head,
                            const tile::TileReader& read) {
  if (head.size > state.size) {
    return Error{Errc::corrupt, "the checkpoint on the disk has " + std::to_string(head.size) +
                                    " leaves, the index only " + std::to_string(state.size) + ": " +
                                    std::string(kNeverContinue)};
  }
  if (head.size == state.size && head.root != state.root) {
    return Error{Errc::corrupt, "the checkpoint and the index have two roots for size " +
                                    std::to_string(head.size) + ": " + std::string(kNeverContinue)};
  }
  tile::TileTree tree(read, state.size);
  auto root =
      merkle::root([&](int level, std::uint64_t i) { return tree.node(level, i); }, head.size);
  if (!root) return Error{Errc::corrupt, "read tiles: " + root.error().message};
  if (*root != head.root) {
    return Error{Errc::corrupt, "the tiles do not continue the checkpoint of size " +
                                    std::to_string(head.size) + ": " + std::string(kNeverContinue)};
  }
  return Ok{};
}

}  // namespace

Status TreeLog::create(Index& index, Disk& disk, const note::VerifierKey& vkey,
                       const SigningKey& key) {
  const checkpoint::Checkpoint empty{vkey.name, 0, merkle::empty_root()};
  auto recorded = index.transaction([&] {
    return index.set_log_state({0, merkle::empty_root(), 0});
  });
  if (!recorded) return recorded;
  auto note = checkpoint::sign(empty, vkey, key);
  if (!note) return std::move(note).error();
  return write_checkpoint(disk, 0, *note);
}

Result<TreeLog> TreeLog::open(Index& index, Disk& disk, Receipts& receipts, const Clock& clock,
                              const note::VerifierKey& vkey, const SigningKey& key) {
  auto state = index.log_state();
  if (!state) return std::move(state).error().in("open log");
  auto head = last_signed(disk, vkey);
  if (!head) return std::move(head).error().in("open log");
  const auto read = [&disk](const std::string& path) {
    return disk.get(path, tile::kEntriesBytesMax);
  };
  if (*head) {
    auto in_order = require_not_set_back(*state, **head, read);
    if (!in_order) return std::move(in_order).error().in("open log");
  }
  auto appender = tile::Appender::open(read, state->size, state->root);
  if (!appender)
    return std::move(appender).error().in("open log: compare the index with the tiles");

  TreeLog log(*std::move(appender), state->at, disk, receipts, clock, vkey, key);
  auto note = log.sign(log.appender_.size(), log.appender_.root());
  if (!note) return std::move(note).error().in("open log");
  auto written = write_checkpoint(disk, log.appender_.size(), *note);
  if (!written) return std::move(written).error().in("open log");
  log.note_ = *std::move(note);
  receipts.publish(log.note_, log.appender_.size(), {});
  return log;
}

WallMs TreeLog::next_at() const {
  return std::max(at_, clock_.wall_ms());
}

Result<std::string> TreeLog::sign(std::uint64_t size, const merkle::Hash& root) const {
  auto note = checkpoint::sign({vkey_.name, size, root}, vkey_, key_);
  if (!note) return std::move(note).error().in("sign checkpoint");
  return note;
}

Status TreeLog::stage(const std::vector<std::string>& entries, WallMs at) {
  auto [appender, growth] = appender_.append(entries);
  auto note = sign(growth.size, growth.root);
  if (!note) return std::move(note).error();
  auto files = std::move(growth.files);
  files.push_back({layout::checkpoint_path(growth.size), *note});
  staged_ = Staged{std::move(appender), at, growth.root, *std::move(note), std::move(files)};
  return Ok{};
}

Status TreeLog::record(Index& index) {
  return index.set_log_state({staged_->appender.size(), staged_->root, staged_->at});
}

Status TreeLog::publish() {
  if (staged_) {
    appender_ = std::move(staged_->appender);
    at_ = staged_->at;
    note_ = std::move(staged_->note);
    for (auto& file : staged_->files) unpublished_.push_back(std::move(file));
    staged_.reset();
  }
  for (; placed_ < unpublished_.size(); ++placed_) {
    const auto& file = unpublished_[placed_];
    auto placed = disk_.put_unsynced({file.path, file.bytes});
    if (!placed) return std::move(placed).error().in("write tiles");
  }
  receipts_.publish(note_, appender_.size(), unpublished_);
  unpublished_.clear();
  placed_ = 0;
  return Ok{};
}

}  // namespace vouch::store
