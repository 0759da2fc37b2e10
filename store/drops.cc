// SPDX-License-Identifier: Apache-2.0
#include "store/drops.h"

#include <optional>
#include <utility>
#include <variant>

#include "core/encoding.h"
#include "proto/drop_notice.h"
#include "proto/leaf.h"
#include "store/layout.h"
#include "store/screen.h"

namespace vouch::store {
namespace {

class DropUpload final : public Upload {
 public:
  explicit DropUpload(DropContext& context) : context_(context) {}
  ~DropUpload() override { context_.heads.give_back(held_); }
  DropUpload(const DropUpload&) = delete;
  DropUpload& operator=(const DropUpload&) = delete;

  bool feed(std::string_view bytes) override;
  void finish(Done done) override;

 private:
  std::optional<Problem> check();
  Result<bool> is_epoch_key(Index& index, const Agent& agent);
  Status apply(Batch& batch);
  Response answer(const Status& committed);

  DropContext& context_;
  std::int64_t held_ = 0;
  std::string body_;
  std::optional<Problem> refusal_;
  std::optional<drop_notice::Opened> opened_;
  // Written by the committer before it answers.
  std::optional<std::uint64_t> leaf_;
  bool known_ = false;
};

bool DropUpload::feed(std::string_view bytes) {
  if (refusal_) return false;
  if (body_.size() + bytes.size() > drop_notice::kNoticeBytesMax) {
    refusal_ = Problem{ProblemKind::too_large,
                       "",
                       {{"limit", static_cast<std::int64_t>(drop_notice::kNoticeBytesMax)}}};
    return false;
  }
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (!context_.heads.take(size)) {
    refusal_ = busy_problem("many large bodies at once");
    return false;
  }
  held_ += size;
  body_ += bytes;
  return true;
}

// Whether the notice's keyid is that of the bundle's epoch: of the bundle on record, or of the one
// that comes next.
Result<bool> DropUpload::is_epoch_key(Index& index, const Agent& agent) {
  const auto& notice = opened_->notice;
  if (notice.seq == agent.link.next_seq) {
    auto current = index.keyid_of_epoch(notice.agent, agent.link.epoch);
    if (!current) return std::move(current).error();
    return *current == opened_->envelope.keyid;
  }
  auto row = index.find_bundle_at(notice.agent, notice.seq);
  if (!row) return std::move(row).error();
  if (!*row) return Error{Errc::corrupt, "the index lacks a bundle of the chain"};
  auto entry = context_.receipts.entry((*row)->leaf);
  if (!entry) return std::move(entry).error();
  auto leaf = leaf::parse(*entry);
  const auto* bundle = leaf ? std::get_if<leaf::Bundle>(&leaf->body) : nullptr;
  if (bundle == nullptr) return Error{Errc::corrupt, "the index names another leaf"};
  return bundle->keyid == opened_->envelope.keyid;
}

std::optional<Problem> DropUpload::check() {
  auto opened = drop_notice::parse(body_);
  if (!opened) {
    return Problem{ProblemKind::malformed,
                   opened.error().message,
                   {{"reason", "drop-notice"}, {"member", ""}}};
  }
  opened_ = *std::move(opened);
  const auto& notice = opened_->notice;
  auto index = context_.readers.lend();
  if (!index) return storage_problem(index.error());
  auto key = (*index)->find_key(opened_->envelope.keyid);
  if (!key) return storage_problem(key.error());
  if (!*key) return Problem{ProblemKind::unknown_key, "enrol this agent first", {}};
  auto public_key = PublicKey::from_spki((*key)->spki);
  if (!public_key) return storage_problem(public_key.error());
  if (!drop_notice::holds(*opened_, *public_key) || (*key)->agent != notice.agent) {
    return Problem{ProblemKind::bad_signature, "not signed by a key of this agent", {}};
  }
  const auto over = context_.quotas.charge(notice.agent, static_cast<std::int64_t>(body_.size()),
                                           context_.clock.wall_ms());
  if (over) return quota_problem(*over);
  auto agent = (*index)->find_agent(notice.agent);
  if (!agent) return storage_problem(agent.error());
  if (!*agent) return internal_problem();
  if (notice.seq > (*agent)->link.next_seq) return chain_problem(**agent, false, "");
  auto right = is_epoch_key(**index, **agent);
  if (!right) return storage_problem(right.error());
  if (!*right) {
    return Problem{ProblemKind::bad_signature, "not signed by the key of that bundle's epoch", {}};
  }
  if (is_revoked(**key, notice.seq)) {
    return Problem{ProblemKind::revoked, "the key is revoked", {}};
  }
  return std::nullopt;
}

Status DropUpload::apply(Batch& batch) {
  const auto& notice = opened_->notice;
  auto rows = batch.index().drops(notice.agent, notice.seq);
  if (!rows) return std::move(rows).error();
  for (const auto& row : *rows) {
    if (row.statement != opened_->statement) continue;
    leaf_ = row.leaf;
    known_ = true;
    return Ok{};
  }
  auto leaf = batch.append(leaf::Drop{notice.agent, notice.seq, opened_->statement, std::nullopt});
  if (!leaf) return std::move(leaf).error();
  auto kept = batch.add_file(layout::statement_path(opened_->statement), body_);
  if (!kept) return kept;
  DropRow row{notice.agent, notice.seq, opened_->statement, *leaf, {}};
  for (const auto& subject : notice.lost) row.lost.push_back(subject.sha256);
  leaf_ = *leaf;
  return batch.index().add_drop(row);
}

Response DropUpload::answer(const Status& committed) {
  if (!committed) return to_response(busy_problem("could not be made durable"));
  auto receipt = context_.receipts.receipt(*leaf_);
  if (!receipt) return to_response(storage_problem(receipt.error()));
  return Response{known_ ? 200 : 201, "text/plain; charset=utf-8", *std::move(receipt), {}};
}

void DropUpload::finish(Done done) {
  if (!refusal_) refusal_ = check();
  if (refusal_) return done([problem = *refusal_] { return to_response(problem); });
  Job job;
  job.apply = [this](Batch& batch) { return apply(batch); };
  job.done = [this, done](const Status& status) {
    done([this, status] { return answer(status); });
  };
  if (!context_.committer.submit(std::move(job))) {
    done([] { return to_response(busy_problem("the queue is full")); });
  }
}

}  // namespace

std::unique_ptr<Upload> make_drop_upload(DropContext& context) {
  return std::make_unique<DropUpload>(context);
}

}  // namespace vouch::store
