// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/vouchd/set_aside.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/log.h"
#include "core/random.h"
#include "proto/parcel.h"
#include "proto/subjects.h"

namespace vouch::agent {

Result<Fd> lock_state(const std::string& state_dir) {
  if (auto made = make_directories(state_dir, 0750); !made) return std::move(made).error();
  // SQLite would say "unable to open database file" of a read-only file system.
  if (::access(state_dir.c_str(), W_OK | X_OK) != 0) {
    return errno_error("write to " + state_dir, errno);
  }
  Fd lock(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return errno_error("open " + state_dir, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return errno_error("lock " + state_dir, errno);
  return Error{Errc::unavailable,
               state_dir + ": a vouchd or vouch enroll is at work there; stop that one first"};
}

State::State(std::string state_dir, Ledger opened, BlobStore blob_store, EpochKeys epoch_keys,
             Outbox out)
    : ledger(std::move(opened)),
      waiting(ledger.database()),
      lost(ledger.database()),
      attachments(ledger.database()),
      baselines(ledger.database()),
      bundles(ledger.database()),
      blobs(std::move(blob_store)),
      keys(std::move(epoch_keys)),
      outbox(std::move(out)),
      reserve(state_dir + "/reserve"),
      directory(std::move(state_dir)),
      strays(directory + "/strays") {}

Result<std::unique_ptr<State>> State::open(const std::string& state_dir, const std::string& machine,
                                           WallMs now) {
  if (auto made = make_directories(state_dir, 0750); !made) return std::move(made).error();
  // First of all: on a full disk the ledger could not even be opened.
  if (auto full = Reserve(state_dir + "/reserve").look(); !full) return std::move(full).error();
  auto ledger = Ledger::open(state_dir + "/agent.db");
  if (!ledger) return std::move(ledger).error();
  auto blobs = BlobStore::open(state_dir + "/blobs");
  if (!blobs) return std::move(blobs).error();
  auto keys = EpochKeys::open(state_dir + "/keys");
  if (!keys) return std::move(keys).error();
  auto outbox = Outbox::open(state_dir + "/outbox", state_dir + "/kept");
  if (!outbox) return std::move(outbox).error();

  auto state = std::make_unique<State>(state_dir, *std::move(ledger), *std::move(blobs),
                                       *std::move(keys), *std::move(outbox));
  if (auto adopted = state->adopt_identity(machine, now); !adopted) {
    return std::move(adopted).error();
  }
  return state;
}

Status State::adopt_identity(const std::string& machine, WallMs now) {
  auto known = ledger.identity();
  if (!known) return std::move(known).error();
  if (!*known) {
    if (auto made = make_identity(machine, now); !made) return made;
    return write_identity_file();
  }
  identity = **std::move(known);
  if (identity.machine != machine) {
    return Error{
        Errc::denied,
        "the state in " + directory +
            " was made on another machine (a cloned image?), and "
            "one chain has one machine: nothing is sealed. Run `vouch enroll` with a new join "
            "string: this host becomes a new agent that names " +
            identity.agent + " as its predecessor, whose state is set aside"};
  }
  auto head = ledger.chain_head();
  if (!head) return std::move(head).error();
  return write_identity_file();
}

// Who was here before, if anybody, is named as the predecessor when this one enrols.
Status State::make_identity(const std::string& machine, WallMs now) {
  auto before = read_resident(directory);
  if (!before) return std::move(before).error();
  auto key = keys.make(0);
  if (!key) return std::move(key).error();
  identity.agent = uuid_v4();
  identity.machine = machine;
  ChainHead head;
  head.link = first_link(identity.agent, machine, key->public_key().spki());
  head.link.period_to = now;
  head.epoch_since = now;
  return ledger.transaction(now, [&]() -> Status {
    if (auto set = ledger.set_identity(identity); !set) return set;
    if (*before) {
      const auto& named =
          (*before)->predecessor.empty() ? (*before)->agent : (*before)->predecessor;
      if (auto set = ledger.set(kPredecessor, named); !set) return set;
      const std::string ended = (*before)->ended.empty() ? "its state is gone" : (*before)->ended;
      if (auto set = ledger.set(kPredecessorEnded, ended); !set) return set;
    }
    return ledger.set_chain_head(head);
  });
}

Status State::write_identity_file() {
  Resident resident{identity.agent, identity.machine, "", ""};
  if (!has_store()) {
    auto before = ledger.get(kPredecessor);
    if (!before) return std::move(before).error();
    resident.predecessor = before->value_or("");
  }
  return write_resident(directory, resident);
}

Status State::put_blob(std::string_view sha256, std::string_view bytes) {
  if (auto put = blobs.put(sha256, bytes); !put) return put;
  return bundles.note_blob(sha256, static_cast<std::int64_t>(bytes.size()));
}

bool is_lost(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::corrupt || error.code == Errc::other;
}

Result<std::string> State::read_blob(std::string_view sha256) {
  auto bytes = blobs.get(sha256);
  if (bytes || !is_lost(bytes.error())) return bytes;
  auto seqs = bundles.parcels_with(sha256);
  if (!seqs) return std::move(seqs).error();
  for (const std::int64_t seq : *seqs) {
    const auto file = outbox.has(seq) ? outbox.read(seq) : outbox.read_kept(seq);
    auto parcel = file ? read_parcel(*file) : Result<Parcel>(file.error());
    if (!parcel) continue;
    for (ParcelBlob& blob : parcel->blobs) {  // Each was checked against its digest.
      if (blob.sha256 != sha256) continue;
      log::warn("blob " + blob.sha256 + " is lost or damaged on the disk; taken out of parcel " +
                std::to_string(seq));
      if (auto put = blobs.put(sha256, blob.bytes); !put) return std::move(put).error();
      return std::move(blob.bytes);
    }
  }
  return bytes;
}

Result<std::vector<std::string>> State::blobs_of(const Record& record) {
  Bundle bundle;
  bundle.config = kEmptyDigestHex;
  bundle.records.push_back(record);
  auto mentions = all_blobs(bundle, [&](std::string_view sha256) { return read_blob(sha256); });
  if (!mentions) return std::move(mentions).error();
  std::vector<std::string> digests;
  for (const BlobMention& mention : *mentions) {
    if (mention.sha256 != kEmptyDigestHex) digests.push_back(mention.sha256);
  }
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  return digests;
}

Status State::write_parcel(std::int64_t seq) {
  auto bundle = bundles.find(seq);
  if (!bundle) return std::move(bundle).error();
  if (!*bundle) return Error{Errc::not_found, "no bundle " + std::to_string(seq)};
  auto digests = bundles.parcel_blobs(seq);
  if (!digests) return std::move(digests).error();
  std::vector<ParcelBlob> contents;
  for (const std::string& sha256 : *digests) {
    auto bytes = read_blob(sha256);
    if (!bytes && is_lost(bytes.error())) {  // The bundle is sent all the same.
      if (auto noted = lost.note(seq, sha256); !noted) return noted;
      continue;
    }
    if (!bytes) return std::move(bytes).error();
    contents.push_back({sha256, *std::move(bytes)});
  }
  auto parcel = vouch::write_parcel((*bundle)->envelope, std::move(contents));
  if (!parcel) return std::move(parcel).error();
  if (auto written = outbox.write(seq, *parcel); !written) return written;
  return bundles.set_parcel_bytes(seq, static_cast<std::int64_t>(parcel->size()));
}

Status State::repair_files() {
  auto waiting_bundles = bundles.in_state(BundleState::waiting);
  if (!waiting_bundles) return std::move(waiting_bundles).error();
  for (const SealedBundle& bundle : *waiting_bundles) {
    if (auto refilled = outbox.refill(bundle.seq); !refilled) return refilled;
    // Without a size it is not the parcel that the ledger wants, even if one is there.
    if (outbox.has(bundle.seq) && bundle.parcel_bytes != 0) continue;
    if (auto written = write_parcel(bundle.seq); !written) return written;
  }
  for (const bool kept : {false, true}) {
    auto files = kept ? outbox.kept() : outbox.waiting();
    if (!files) return std::move(files).error();
    for (const std::int64_t seq : *files) {
      auto bundle = bundles.find(seq);
      if (!bundle) return std::move(bundle).error();
      Status done = Ok{};
      if (!*bundle) {  // Sealed under a ledger that was lost: it may be all that is left of it.
        log::error("parcel " + std::to_string(seq) + " is not in the ledger; it is now in " +
                   strays);
        done = outbox.set_aside(seq, kept, strays);
        if (!done) return done;
        continue;
      }
      const auto is = (*bundle)->state;
      if (!kept && is == BundleState::kept) done = outbox.keep(seq);
      if (!kept && is == BundleState::expired) done = outbox.drop_waiting(seq);
      if (kept && is != BundleState::kept) done = outbox.drop_kept(seq);
      if (!done) return done;
    }
  }
  if (auto repaired = repair_notices(*this); !repaired) return repaired;
  auto accepted = ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  if (*accepted) {
    if (auto written = outbox.write_log_seen((*accepted)->note); !written) return written;
  }
  return erase_old_keys();
}

Status State::collect_garbage(const std::vector<std::string>& in_use) {
  auto unused = bundles.unused_blobs(in_use);
  if (!unused) return std::move(unused).error();
  for (const std::string& sha256 : *unused) {
    // Ledger first: a file that the ledger does not know is removed by the next start.
    if (auto forgotten = bundles.forget_blob(sha256); !forgotten) return forgotten;
    if (auto removed = blobs.remove(sha256); !removed) return removed;
  }
  auto files = blobs.list();
  if (!files) return std::move(files).error();
  for (const std::string& sha256 : *files) {
    auto known = bundles.knows_blob(sha256);
    if (!known) return std::move(known).error();
    if (*known) continue;
    if (auto removed = blobs.remove(sha256); !removed) return removed;
  }
  return Ok{};
}

Status State::erase_old_keys() {
  auto head = ledger.chain_head();
  if (!head) return std::move(head).error();
  if (!*head) return Ok{};
  auto epochs = keys.list();
  if (!epochs) return std::move(epochs).error();
  for (const std::int64_t epoch : *epochs) {
    if (epoch >= (*head)->link.epoch) continue;
    auto in_use = bundles.epoch_in_use(epoch);
    if (!in_use) return std::move(in_use).error();
    if (*in_use) continue;
    if (auto erased = keys.erase(epoch); !erased) return erased;
  }
  return Ok{};
}

}  // namespace vouch::agent
