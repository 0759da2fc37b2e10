// SPDX-License-Identifier: Apache-2.0
#include "proto/drop_notice.h"

#include <optional>
#include <utility>

#include "core/json.h"
#include "proto/fields.h"
#include "proto/limits.h"
#include "proto/signing_key.h"
#include "proto/subject_fields.h"

namespace vouch::drop_notice {
namespace {

template <class Io, class T>
void describe(Io& io, T& notice) {
  io.text("agent", notice.agent, Form::agent_id);
  io.integer("seq", notice.seq);
  io.text("by", notice.by, Form::message);
  io.text("reason", notice.reason, Form::message);
}

std::string serialise(const Notice& notice) {
  FieldWriter io;
  io.put("_type", kStatementType);
  io.put("predicateType", kPredicateType);
  io.objects("subject", notice.lost, kSubjectsMax, write_subject);
  io.object("predicate", [&](FieldWriter& predicate) { describe(predicate, notice); });
  return json::write(io.take());
}

Result<Notice> parse_payload(std::string_view payload) {
  const auto value = json::parse(payload);
  if (!value) return Error(value.error()).in("/");
  FieldProblem problem;
  FieldReader io(*value, "", problem);
  std::string type, predicate_type;
  io.text("_type", type);
  io.text("predicateType", predicate_type);
  if (type != kStatementType) io.fail("_type", "is unknown");
  if (predicate_type != kPredicateType) io.fail("predicateType", "is no drop notice's");
  if (problem.error()) return *problem.error();

  Notice notice;
  io.objects("subject", notice.lost, kSubjectsMax, read_subject);
  check_subject_list(io, notice.lost);
  io.object("predicate", [&](FieldReader& predicate) { describe(predicate, notice); });
  if (problem.error()) return *problem.error();
  return notice;
}

}  // namespace

Result<std::string> make(const Notice& notice, const SigningKey& key) {
  auto envelope = dsse::sign(key, serialise(notice));
  if (!envelope) return std::move(envelope).error();
  auto bytes = dsse::write(*envelope);
  auto read_back = parse(bytes);
  if (!read_back) return std::move(read_back).error().in("write drop notice");
  return bytes;
}

Result<Opened> parse(std::string_view bytes) {
  if (bytes.size() > kNoticeBytesMax) return Error{Errc::too_large, "drop notice over 512 KiB"};
  auto envelope = dsse::parse(bytes);
  if (!envelope) return std::move(envelope).error();
  auto notice = parse_payload(envelope->payload);
  if (!notice) return std::move(notice).error();
  auto statement = dsse::bundle_id(*envelope);
  return Opened{*std::move(notice), *std::move(envelope), std::move(statement)};
}

bool holds(const Opened& opened, const PublicKey& key) {
  return dsse::verify(opened.envelope, key);
}

}  // namespace vouch::drop_notice
