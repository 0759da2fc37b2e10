// SPDX-License-Identifier: Apache-2.0
// The published head of the log, and receipts under it. Written by the committer, read by the
// threads that answer requests; safe to call from any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/result.h"
#include "proto/merkle.h"
#include "proto/tile.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

class Receipts {
 public:
  // `disk` must outlive it. `origin` is the log's name; `earlier` are the logs that it succeeded,
  // in whose leaves receipts are given as well, under their last checkpoints.
  Receipts(Disk& disk, std::string origin, std::vector<EarlierLog> earlier = {})
      : disk_(disk),
        origin_(std::move(origin)),
        earlier_(std::move(earlier)),
        base_(earlier_.empty()
                  ? 0
                  : earlier_.back().base + std::max<std::uint64_t>(earlier_.back().size, 1)) {}
  [[nodiscard]] std::uint64_t base() const { return base_; }  // Number of this log's first leaf.
  [[nodiscard]] const std::vector<EarlierLog>& earlier() const { return earlier_; }
  [[nodiscard]] const std::string& origin() const { return origin_; }
  // Chains that were enrolled below this number are of a log whose key was lost: its agents believe
  // no receipt of ours until they are re-pinned. 0: all of them could follow.
  Result<std::uint64_t> repin_below();

  // From now on `note` is the head, over `size` leaves. `grown` are the tiles that were written for
  // it: their hashes are remembered, so that a receipt reads nothing back from the disk.
  void publish(std::string note, std::uint64_t size, const std::vector<tile::TileFile>& grown);

  [[nodiscard]] std::string checkpoint() const;
  [[nodiscard]] std::uint64_t size() const;
  // The tlog-proof of a leaf, by its number, under the head. Errc::not_found if the head does not
  // hold it yet.
  Result<std::string> receipt(std::uint64_t number, const std::string& entry);
  // The same; takes the entry from its bundle of entries.
  Result<std::string> receipt(std::uint64_t number);
  Result<std::string> entry(std::uint64_t number);
  // The content of a `.consistency` file: from `old_size` leaves to the head. Errc::invalid if that
  // is 0 or above the head.
  Result<std::string> consistency(std::uint64_t old_size);

 private:
  Result<std::string> earlier_receipt(std::uint64_t number);
  Result<std::string> earlier_entry(std::uint64_t number);
  const EarlierLog& log_of(std::uint64_t number) const;  // For numbers below base_.
  tile::TileTree tree_of(const EarlierLog& log);
  Result<merkle::Hash> node(int level, std::uint64_t index);
  Result<std::string> read_tile(tile::TileId id);
  Status remember_tile(int level, std::uint64_t tile_index);
  void remember(const tile::TileId& id, const std::vector<merkle::Hash>& hashes);

  Disk& disk_;
  const std::string origin_;
  const std::vector<EarlierLog> earlier_;
  const std::uint64_t base_;
  mutable std::mutex mutex_;  // Guards everything below.
  std::string note_;
  std::uint64_t size_ = 0;
  std::unordered_map<std::uint64_t, merkle::Hash> nodes_;  // Full subtrees: they never change.
};

}  // namespace vouch::store
