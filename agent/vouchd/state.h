// SPDX-License-Identifier: Apache-2.0
// All that the agent keeps, opened together: ledger, blobs, keys, outbox; and the repairs that make
// the files follow the ledger again after a crash (docs/formats/outbox.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/attachments.h"
#include "agent/vouchd/baselines.h"
#include "agent/vouchd/blob_store.h"
#include "agent/vouchd/bundle_ledger.h"
#include "agent/vouchd/config.h"
#include "agent/vouchd/epoch_keys.h"
#include "agent/vouchd/ledger.h"
#include "agent/vouchd/lost_blobs.h"
#include "agent/vouchd/outbox.h"
#include "agent/vouchd/reserve.h"
#include "agent/vouchd/waiting_records.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/result.h"
#include "proto/record.h"

namespace vouch::agent {

// True if this is why a file's content will not come back by waiting.
bool is_lost(const Error& error);

// Keeps everyone else out of the state, made if missing, for as long as the descriptor is open. Two
// daemons on one state would seal two histories. Errc::unavailable: somebody has it. A crash frees
// it; a reload, which opens the state a second time, stays under the lock of its process.
Result<Fd> lock_state(const std::string& state_dir);

class State {
 public:
  // Makes what is missing. `machine` is derive_machine() of this host: a state that was made on
  // another machine is refused (Errc::denied), since one chain has one machine. A new state gets
  // an identity without a store and its first key; `vouch enroll` gives it a log. Errc::corrupt:
  // the ledger is damaged (set_aside.h).
  static Result<std::unique_ptr<State>> open(const std::string& state_dir,
                                             const std::string& machine, WallMs now);

  State(std::string state_dir, Ledger opened, BlobStore blob_store, EpochKeys epoch_keys,
        Outbox out);  // Use open().
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Ledger ledger;
  WaitingRecords waiting;
  LostBlobs lost;
  Attachments attachments;
  Baselines baselines;
  BundleLedger bundles;
  BlobStore blobs;
  EpochKeys keys;
  Outbox outbox;
  Reserve reserve;
  std::string directory;
  std::string strays;  // Where parcels go that the ledger does not know.
  Identity identity;

  // identity.json says who is here (set_aside.h).
  Status write_identity_file();
  [[nodiscard]] bool has_store() const { return !identity.policy.empty(); }

  // Writes a blob and notes it. Not the ledger's transaction: the file comes first.
  Status put_blob(std::string_view sha256, std::string_view bytes);
  // The bytes of a blob: of its file or, if that is lost or damaged, of a parcel that has them;
  // then the file is written again. Errc::not_found, corrupt or other: they are lost (is_lost()).
  Result<std::string> read_blob(std::string_view sha256);
  // The blobs that a record needs, those of its outcomes and packs included.
  Result<std::vector<std::string>> blobs_of(const Record& record);

  // Makes the parcel of a waiting bundle from the ledger and the blobs, and writes it. A blob that
  // is lost is noted (lost_blobs.h) and not in it.
  Status write_parcel(std::int64_t seq);
  // Files follow the ledger: missing parcels are written, acknowledged ones moved, expired ones
  // removed; so are keys of epochs that are over.
  Status repair_files();
  // Removes blobs that nothing refers to. `in_use` are those of what is in force now.
  Status collect_garbage(const std::vector<std::string>& in_use);
  // Erases keys of epochs before the current one that no unacknowledged bundle was signed with.
  Status erase_old_keys();

 private:
  Status adopt_identity(const std::string& machine, WallMs now);
  Status make_identity(const std::string& machine, WallMs now);
};

}  // namespace vouch::agent
