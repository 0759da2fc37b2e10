// SPDX-License-Identifier: Apache-2.0
#include "store/ingest.h"

#include <algorithm>
#include <utility>

#include "core/digest.h"
#include "core/log.h"
#include "core/zstd.h"
#include "proto/limits.h"
#include "proto/parcel.h"
#include "store/accept.h"
#include "store/evidence_files.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

// Compressed blobs up to this size ride in the batch's transaction; larger ones are made durable by
// themselves, before the batch.
constexpr std::size_t kSmallBlobBytesMax = 64u << 10;

// An envelope up to this size costs a connection no more than its buffers. A larger one shares a
// budget with all whose signature has not been checked.
constexpr std::size_t kSmallEnvelopeBytesMax = 64u << 10;

class ParcelUpload final : public Upload, private ParcelSink {
 public:
  ParcelUpload(IngestContext& context, std::optional<std::uint64_t> declared)
      : context_(context), reader_(*this) {
    if (declared)
      declared_ = static_cast<std::int64_t>(std::min<std::uint64_t>(*declared, kParcelBytesMax));
    if (declared && *declared > kParcelBytesMax) (void)refuse(too_large(kParcelBytesMax));
  }
  ~ParcelUpload() override {
    context_.memory.give_back(held_);
    context_.heads.give_back(held_head_);
  }
  ParcelUpload(const ParcelUpload&) = delete;
  ParcelUpload& operator=(const ParcelUpload&) = delete;

  bool feed(std::string_view bytes) override;
  void finish(Done done) override;

 private:
  enum class State { reading, refused, fork };

  Status envelope_begin(std::size_t size_bytes) override;
  Status envelope(std::string_view bytes) override;
  Status blob_begin(std::string_view sha256, std::size_t size_bytes) override;
  Status blob_bytes(std::string_view bytes) override;
  Status blob_end() override;

  Status screen(std::string_view bytes, Index& index);
  Status read_again(SignedEnvelope signed_envelope, std::string_view bytes);
  std::optional<Problem> find_missing();
  Status heal_envelope();
  void submit(Done done);
  Response answer(const Status& committed);
  Response answer_known();

  static Problem too_large(std::size_t limit) {
    return {ProblemKind::too_large, "over a limit", {{"limit", static_cast<std::int64_t>(limit)}}};
  }
  Status refuse(Problem problem) {
    state_ = State::refused;
    refusal_ = std::move(problem);
    return Error{Errc::other, "refused"};
  }
  Problem reader_problem() const;

  IngestContext& context_;
  ParcelReader reader_;
  State state_ = State::reading;
  std::optional<Problem> refusal_;
  std::int64_t declared_ = 0;
  std::int64_t received_ = 0;
  std::int64_t charged_ = 0;    // To the agent's quota.
  std::int64_t held_ = 0;       // Of context_.memory.
  std::int64_t held_head_ = 0;  // Of context_.heads.
  std::optional<Candidate> candidate_;
  std::optional<std::uint64_t> known_leaf_;  // The bundle is on record, under this leaf.
  std::string blob_digest_;
  std::string blob_;
  Accepted accepted_;  // Written by the committer before it calls `done`.
};

bool ParcelUpload::feed(std::string_view bytes) {
  if (state_ != State::reading) return false;
  received_ += static_cast<std::int64_t>(bytes.size());
  if (received_ > static_cast<std::int64_t>(kParcelBytesMax)) {
    (void)refuse(too_large(kParcelBytesMax));
    return false;
  }
  if (!candidate_ && received_ - static_cast<std::int64_t>(bytes.size()) >
                         static_cast<std::int64_t>(kParcelHeadBytesMax)) {
    (void)refuse(too_large(kParcelHeadBytesMax));
    return false;
  }
  auto fed = reader_.feed(bytes);
  if (!fed && state_ == State::reading) (void)refuse(reader_problem());
  return fed.has_value();
}

Problem ParcelUpload::reader_problem() const {
  const auto& fault = reader_.fault();
  switch (fault.kind) {
    case ParcelFault::Kind::too_large:
      return too_large(fault.member == "envelope.json" ? kEnvelopeBytesMax : kParcelBytesMax);
    case ParcelFault::Kind::bad_blob:
      return {ProblemKind::bad_blob, "", {{"sha256", fault.member}, {"reason", fault.reason}}};
    case ParcelFault::Kind::malformed:
      return {ProblemKind::malformed, "", {{"reason", fault.reason}, {"member", fault.member}}};
    case ParcelFault::Kind::none:
    case ParcelFault::Kind::sink:
      break;
  }
  return internal_problem();
}

Status ParcelUpload::envelope_begin(std::size_t size_bytes) {
  if (size_bytes <= kSmallEnvelopeBytesMax) return Ok{};
  // Twice: the envelope, and what the decompressor keeps of it as its window.
  const auto size = 2 * static_cast<std::int64_t>(size_bytes);
  if (!context_.heads.take(size)) return refuse(busy_problem("many large envelopes at once"));
  held_head_ = size;
  return Ok{};
}

Status ParcelUpload::envelope(std::string_view bytes) {
  auto index = context_.readers.lend();
  if (!index) return refuse(storage_problem(index.error()));
  auto screened = screen(bytes, **index);
  if (!screened) return screened;
  context_.heads.give_back(held_head_);  // From here on it is an enrolled agent's.
  held_head_ = 0;
  return Ok{};
}

Status ParcelUpload::screen(std::string_view bytes, Index& index) {
  auto checked = check_signature(bytes, index);
  if (auto* problem = std::get_if<Problem>(&checked)) return refuse(std::move(*problem));
  auto& signed_envelope = std::get<SignedEnvelope>(checked);
  charged_ = std::max(declared_, received_);
  auto over = check_quota(signed_envelope, charged_, context_.quotas, context_.clock.wall_ms());
  if (over) return refuse(std::move(*over));

  auto known = index.find_bundle(signed_envelope.id);
  if (!known) return refuse(storage_problem(known.error()));
  if (*known) {
    known_leaf_ = (*known)->leaf;
    return read_again(std::move(signed_envelope), bytes);
  }
  auto statement = check_statement(signed_envelope, context_.compat);
  if (auto* problem = std::get_if<Problem>(&statement)) return refuse(std::move(*problem));
  candidate_ = Candidate{std::move(signed_envelope),
                         std::move(std::get<Statement>(statement)),
                         zstd::compress(bytes),
                         {},
                         {},
                         {}};

  auto agent = index.find_agent(candidate_->statement.bundle.agent.id);
  if (!agent) return refuse(storage_problem(agent.error()));
  if (!*agent) return refuse(internal_problem());
  // What it sent before it is re-pinned would be here, and its re-pin would find another chain.
  if ((*agent)->leaf < context_.repin_below) {
    return refuse({ProblemKind::unknown_key,
                   "the key of the log that this agent trusts is lost: vouch enroll --repin",
                   {}});
  }
  auto standing = check_chain(**agent, candidate_->statement);
  if (auto* problem = std::get_if<Problem>(&standing)) return refuse(std::move(*problem));
  if (!std::holds_alternative<Forks>(standing)) return Ok{};
  state_ = State::fork;
  return Error{Errc::other, "fork"};
}

// A bundle that is on record: what it brings is compared with what is kept, and mends it.
Status ParcelUpload::read_again(SignedEnvelope signed_envelope, std::string_view bytes) {
  auto statement = parse_statement(signed_envelope.envelope.payload);
  if (!statement) return refuse(internal_problem());  // It was accepted once.
  candidate_ = Candidate{
      std::move(signed_envelope), *std::move(statement), zstd::compress(bytes), {}, {}, {}};
  return Ok{};
}

Status ParcelUpload::blob_begin(std::string_view sha256, std::size_t size_bytes) {
  if (!candidate_->statement.has_subject(sha256)) {
    return refuse({ProblemKind::bad_blob,
                   "a blob that is no subject of this bundle",
                   {{"sha256", sha256}, {"reason", "foreign"}}});
  }
  const auto size = static_cast<std::int64_t>(size_bytes);
  if (!context_.memory.take(size)) return refuse(busy_problem("many large parcels at once"));
  held_ += size;
  blob_digest_ = sha256;
  blob_.clear();
  blob_.reserve(size_bytes);
  return Ok{};
}

Status ParcelUpload::blob_bytes(std::string_view bytes) {
  blob_ += bytes;
  return Ok{};
}

Status ParcelUpload::blob_end() {
  const auto size = static_cast<std::int64_t>(blob_.size());
  candidate_->blobs.emplace_back(blob_digest_, size);
  auto index = context_.readers.lend();
  if (!index) return refuse(storage_problem(index.error()));
  auto known = (*index)->blob_known(blob_digest_);
  if (!known) return refuse(storage_problem(known.error()));
  auto kept = *known ? read_blob(context_.disk, **index, blob_digest_)
                     : Result<std::string>(Error{Errc::not_found, "new"});
  if (!kept && !is_lost(kept)) return refuse(storage_problem(kept.error()));
  if (!kept) {
    File file{layout::blob_path(blob_digest_), zstd::compress(blob_)};
    if (*known) log::warn(file.name + ": was lost or damaged; an agent has sent it again");
    if (!*known && file.bytes.size() <= kSmallBlobBytesMax) {
      candidate_->files.push_back(std::move(file));
    } else {
      auto written = context_.disk.put({std::move(file)});
      if (!written) return refuse(storage_problem(written.error()));
    }
  }
  blob_ = std::string();
  context_.memory.give_back(size);
  held_ -= size;
  return Ok{};
}

// A subject may be left out iff it is empty, or this agent has sent it before and it is still
// there, or the log says that it was dropped.
std::optional<Problem> ParcelUpload::find_missing() {
  auto index = context_.readers.lend();
  if (!index) return storage_problem(index.error());
  json::Array missing;
  for (const auto& subject : candidate_->statement.subject) {
    const auto came = [&subject](const auto& blob) { return blob.first == subject.sha256; };
    const bool sent = std::any_of(candidate_->blobs.begin(), candidate_->blobs.end(), came);
    if (!sent && subject.sha256 == kEmptyDigestHex) continue;
    auto possessed = (*index)->possesses(candidate_->statement.bundle.agent.id, subject.sha256);
    if (!possessed) return storage_problem(possessed.error());
    if (sent && !*possessed) candidate_->new_subjects.push_back(subject.sha256);
    if (sent) continue;
    auto kept = *possessed ? is_kept(context_.disk, **index, layout::blob_path(subject.sha256))
                           : Result<bool>(false);
    if (!kept) return storage_problem(kept.error());
    if (!*kept) missing.emplace_back(subject.sha256);
  }
  if (missing.empty()) return std::nullopt;
  const auto& bundle = candidate_->statement.bundle;
  auto drops = (*index)->drops(bundle.agent.id, bundle.seq);
  if (!drops) return storage_problem(drops.error());
  std::erase_if(missing, [&drops](const json::Value& digest) {
    return std::any_of(drops->begin(), drops->end(),
                       [&digest](const DropRow& row) { return row.excuses(*digest.if_string()); });
  });
  if (missing.empty()) return std::nullopt;
  return Problem{ProblemKind::missing_blobs,
                 "this agent has not sent them before",
                 {{"missing", std::move(missing)}}};
}

// The envelope of a bundle on record, if its file is lost or damaged.
Status ParcelUpload::heal_envelope() {
  auto index = context_.readers.lend();
  if (!index) return std::move(index).error();
  const auto& bundle = candidate_->statement.bundle;
  const auto kept = read_bundle(context_.disk, **index, bundle.agent.id, bundle.seq,
                                candidate_->signed_envelope.id);
  if (kept) return Ok{};
  if (!is_lost(kept)) return kept.error();
  File file{layout::bundle_path(bundle.agent.id, bundle.seq), candidate_->envelope_file};
  log::warn(file.name + ": was lost or damaged; its agent has sent it again");
  return context_.disk.put({std::move(file)});
}

void ParcelUpload::finish(Done done) {
  if (state_ == State::reading) {
    auto finished = reader_.finish();
    if (!finished) (void)refuse(reader_problem());
  }
  if (state_ == State::reading && received_ > charged_) {
    auto over = context_.quotas.charge_more(candidate_->signed_envelope.key.agent,
                                            received_ - charged_, context_.clock.wall_ms());
    if (over) (void)refuse(quota_problem(*over));
  }
  if (state_ == State::reading) {
    auto missing = find_missing();
    if (missing) (void)refuse(std::move(*missing));
  }
  if (state_ == State::reading && known_leaf_) {
    auto healed = heal_envelope();
    if (!healed) (void)refuse(storage_problem(healed.error()));
  }
  switch (state_) {
    case State::refused:
      return done([problem = *refusal_] { return to_response(problem); });
    case State::reading:
    case State::fork:
      if (known_leaf_ && candidate_->files.empty() && candidate_->new_subjects.empty()) {
        return done([this] { return answer_known(); });
      }
      return submit(std::move(done));
  }
}

void ParcelUpload::submit(Done done) {
  Job job;
  job.apply = [this](Batch& batch) -> Status {
    auto accepted = accept_bundle(*candidate_, context_.late_after_ms, batch);
    if (!accepted) return std::move(accepted).error();
    accepted_ = *std::move(accepted);
    return Ok{};
  };
  job.done = [this, done](const Status& status) {
    done([this, status] { return answer(status); });
  };
  if (!context_.committer.submit(std::move(job))) {
    done([] { return to_response(busy_problem("the queue of parcels is full")); });
  }
}

Response ParcelUpload::answer(const Status& committed) {
  if (!committed) return to_response(busy_problem("could not be made durable"));
  if (accepted_.refusal) {
    Problem problem = *accepted_.refusal;
    if (accepted_.fork && accepted_.leaf) {
      auto proof = context_.receipts.receipt(*accepted_.leaf);
      if (proof) problem.members.emplace("proof", *std::move(proof));
    }
    return to_response(problem);
  }
  if (accepted_.known) {
    known_leaf_ = *accepted_.leaf;
    return answer_known();
  }
  auto receipt = context_.receipts.receipt(*accepted_.leaf, accepted_.entry);
  if (!receipt) return to_response(storage_problem(receipt.error()));
  return Response{201, "text/plain; charset=utf-8", *std::move(receipt), {}};
}

Response ParcelUpload::answer_known() {
  auto receipt = context_.receipts.receipt(*known_leaf_);
  if (!receipt) {
    // Committed, but its checkpoint is not out yet: it will be in a moment.
    if (receipt.error().code == Errc::not_found) {
      return to_response(busy_problem("the checkpoint is not out yet"));
    }
    return to_response(storage_problem(receipt.error()));
  }
  return Response{200, "text/plain; charset=utf-8", *std::move(receipt), {}};
}

}  // namespace

std::unique_ptr<Upload> make_parcel_upload(IngestContext& context,
                                           std::optional<std::uint64_t> declared_bytes) {
  return std::make_unique<ParcelUpload>(context, declared_bytes);
}

}  // namespace vouch::store
