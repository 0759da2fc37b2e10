// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/statements.h"

#include <fmt/format.h>

#include "core/encoding.h"
#include "core/json.h"
#include "core/zstd.h"
#include "proto/dsse.h"
#include "proto/enrolment.h"
#include "proto/limits.h"
#include "proto/statement.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kDigestHexDigits = 64;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

Result<std::string> read_statement(const Files& files, const std::string& digest) {
  return files.read(fmt::format("statements/{}.json", digest), enrolment::kRequestBytesMax);
}

// The subject digests of a drop notice for this agent and seq.
Result<std::set<std::string, std::less<>>> digests_of_notice(const json::Value& statement,
                                                             const std::string& agent,
                                                             std::int64_t seq) {
  const auto type = json::get_string(statement, "_type");
  const auto predicate_type = json::get_string(statement, "predicateType");
  if (!type || *type != kStatementType || !predicate_type ||
      *predicate_type != kDropNoticePredicateType) {
    return invalid("no drop notice");
  }
  const auto predicate = json::get_object(statement, "predicate");
  if (!predicate) return predicate.error();
  const auto whose = json::get_string(**predicate, "agent");
  const auto which = json::get_integer(**predicate, "seq");
  if (!whose || *whose != agent || !which || *which != seq) {
    return invalid("the drop notice is about another bundle");
  }
  const auto subjects = json::get_array(statement, "subject");
  if (!subjects) return subjects.error();
  std::set<std::string, std::less<>> digests;
  for (const auto& subject : **subjects) {
    const auto* digest = subject.find("digest");
    const auto sha256 = json::get_string(digest == nullptr ? json::Value() : *digest, "sha256");
    if (!sha256 || !is_hex_digest(*sha256)) return invalid("a subject without sha256");
    digests.insert(*sha256);
  }
  if (digests.empty()) return invalid("a drop notice without subjects");
  return digests;
}

}  // namespace

std::optional<Failure> check_enrolment(const Files& files, const AgentTimeline& agent) {
  const auto where = fmt::format("statements/{}.json", agent.enrol.statement);
  const auto bytes = read_statement(files, agent.enrol.statement);
  if (!bytes) return Failure{"enrolment", where, bytes.error().message};
  const auto request = enrolment::parse_request(*bytes);
  if (!request) return Failure{"enrolment", where, request.error().message};
  const auto& predicate = request->predicate;
  if (request->statement != agent.enrol.statement || predicate.agent != agent.agent ||
      predicate.machine != agent.enrol.machine || request->keyid != agent.enrol.keyid ||
      predicate.token != agent.enrol.token || predicate.repin) {
    return Failure{"enrolment", where, "it is not the enrolment that the log holds"};
  }
  return std::nullopt;
}

Result<std::set<std::string, std::less<>>> read_drop(const Files& files, const AgentTimeline& agent,
                                                     const leaf::Drop& drop) {
  if (!drop.statement) return std::set<std::string, std::less<>>{};
  const auto bytes = read_statement(files, *drop.statement);
  if (!bytes) return bytes.error();
  const auto envelope = dsse::parse(*bytes);
  if (!envelope) return envelope.error();
  if (dsse::bundle_id(*envelope) != *drop.statement) {
    return invalid("the drop notice is not the one that the log holds");
  }
  if (!dsse::verify(*envelope, agent.epochs[agent.epoch_of(drop.seq)].key)) {
    return invalid("the drop notice is not signed by the key of that bundle");
  }
  const auto statement = json::parse(envelope->payload);
  if (!statement) return statement.error();
  return digests_of_notice(*statement, agent.agent, drop.seq);
}

Failure check_fork(const Files& files, const AgentTimeline& agent, const leaf::Fork& fork) {
  const auto where = fmt::format("{}/{}", agent.agent, fork.seq);
  const auto path = fmt::format("forks/{}.{}.json", where, fork.other_id);
  auto bytes = files.read(path + ".zst", kEnvelopeBytesMax);
  if (bytes) {
    bytes = zstd::decompress(*bytes, kEnvelopeBytesMax);
  } else {
    bytes = files.read(path, kEnvelopeBytesMax);
  }
  if (!bytes) return {"bad-fork", where, bytes.error().message};
  const auto envelope = dsse::parse(*bytes);
  if (!envelope) return {"bad-fork", where, envelope.error().message};
  bool is_signed = false;  // A foreign `prev` may come from any epoch of the agent.
  for (const auto& epoch : agent.epochs) is_signed |= dsse::verify(*envelope, epoch.key);
  if (dsse::bundle_id(*envelope) != fork.other_id || !is_signed) {
    return {"bad-fork", where, "the other branch is not signed by the agent"};
  }
  return {"fork", where, "the agent signed two bundles for one place in its chain"};
}

Result<std::set<std::string, std::less<>>> parse_digest_list(std::string_view text) {
  std::set<std::string, std::less<>> digests;
  std::string_view before;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.size() == text.size()) return invalid("the last line has no newline");
    if (line.size() != kDigestHexDigits || !is_hex_digest(line)) {
      return invalid("a line is no digest");
    }
    if (line <= before) return invalid("the lines are not sorted, or two are equal");
    before = line;
    digests.emplace(line);
    text.remove_prefix(line.size() + 1);
  }
  return digests;
}

}  // namespace vouch::verify
