// SPDX-License-Identifier: Apache-2.0
// The append-only log: entries become leaves, leaves tiles, and a signed checkpoint. It never shows
// two roots for one size, whatever happens in between. The order for each batch, by one thread:
//
//   index.transaction([&] { …; log.stage(entries);        what tiles and checkpoint become
//                           …its files, as waiting files    durable with the transaction
//                           return log.record(index); })    size and root, committed
//   log.publish()                                           only then: placed and served
//
// So a batch waits for one flush, that of its transaction. A signature that was made for a batch
// whose transaction fails is dropped with it by discard(): nobody has seen it. After a crash behind
// the commit the waiting files are placed again, and open() publishes again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "proto/note.h"
#include "proto/tile.h"
#include "store/disk.h"
#include "store/index.h"
#include "store/receipts.h"

namespace vouch {
class SigningKey;
}

namespace vouch::store {

class TreeLog {
 public:
  // The state of an empty log, and its first checkpoint. For `vouch-store init`.
  static Status create(Index& index, Disk& disk, const note::VerifierKey& vkey,
                       const SigningKey& key);
  // Compares the index with the tiles and with the checkpoint on the disk, and publishes. Fails
  // with Errc::corrupt, saying what to do, if the index is older than the checkpoint (a restored
  // copy) or contradicts it or the tiles: such a log must not be continued. All arguments must
  // outlive it.
  static Result<TreeLog> open(Index& index, Disk& disk, Receipts& receipts, const Clock& clock,
                              const note::VerifierKey& vkey, const SigningKey& key);

  // The time for the entries of the next batch: now, but never before that of the last entry.
  [[nodiscard]] WallMs next_at() const;
  [[nodiscard]] std::uint64_t size() const { return appender_.size(); }
  [[nodiscard]] const std::string& note() const { return note_; }  // The checkpoint over it.

  Status stage(const std::vector<std::string>& entries, WallMs at);
  // Tiles, entry bundles and the numbered checkpoint of what is staged; they must be durable before
  // it is published. (Not the head's: an older one of the index must never replace a newer one.)
  [[nodiscard]] const std::vector<tile::TileFile>& staged_files() const { return staged_->files; }
  Status record(Index& index);
  void discard() { staged_.reset(); }
  // Puts the files in their places, not yet synced, and lets note() out as the head. If it fails,
  // the next call tries again.
  Status publish();

 private:
  struct Staged {
    tile::Appender appender;
    WallMs at;
    merkle::Hash root;
    std::string note;
    std::vector<tile::TileFile> files;
  };
  Result<std::string> sign(std::uint64_t size, const merkle::Hash& root) const;
  TreeLog(tile::Appender appender, WallMs at, Disk& disk, Receipts& receipts, const Clock& clock,
          const note::VerifierKey& vkey, const SigningKey& key)
      : appender_(std::move(appender)),
        at_(at),
        disk_(disk),
        receipts_(receipts),
        clock_(clock),
        vkey_(vkey),
        key_(key) {}

  tile::Appender appender_;  // As committed.
  WallMs at_;
  std::optional<Staged> staged_;
  std::string note_;
  std::vector<tile::TileFile> unpublished_;  // Files committed and not yet in place.
  std::size_t placed_ = 0;                   // So many of them are in place.
  Disk& disk_;
  Receipts& receipts_;
  const Clock& clock_;
  const note::VerifierKey& vkey_;
  const SigningKey& key_;
};

}  // namespace vouch::store
