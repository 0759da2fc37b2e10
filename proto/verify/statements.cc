// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/statements.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/zstd.h"
#include "proto/drop_notice.h"
#include "proto/dsse.h"
#include "proto/enrolment.h"
#include "proto/limits.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kDigestHexDigits = 64;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

constexpr std::string_view kNotOnRecord = "it is not the enrolment that the log holds";

Failure enrolment_failure(const leaf::Enrol& leaf, std::string_view detail) {
  return {"enrolment", fmt::format("statements/{}.json", leaf.statement), std::string(detail)};
}

// The envelope that the leaf names, signed by the very key.
Result<enrolment::Request> read_request(const Files& files, const leaf::Enrol& leaf) {
  const auto bytes =
      files.read(fmt::format("statements/{}.json", leaf.statement), enrolment::kRequestBytesMax);
  if (!bytes) return bytes.error();
  auto request = enrolment::parse_request(*bytes);
  if (!request) return request;
  const auto& predicate = request->predicate;
  if (request->statement != leaf.statement || predicate.agent != leaf.agent ||
      predicate.machine != leaf.machine || request->keyid != leaf.keyid ||
      predicate.token != leaf.token) {
    return invalid(std::string(kNotOnRecord));
  }
  return request;
}

}  // namespace

std::optional<Failure> check_enrolment(const Files& files, const AgentTimeline& agent) {
  if (agent.begins_repinned) return std::nullopt;  // check_repin() has it.
  const auto request = read_request(files, agent.enrol);
  if (!request) return enrolment_failure(agent.enrol, request.error().message);
  if (request->predicate.repin) return enrolment_failure(agent.enrol, kNotOnRecord);
  return std::nullopt;
}

std::optional<Failure> check_repin(const Files& files, const Repinned& repinned, const Logs& logs) {
  const auto& leaf = repinned.leaf;
  const auto request = read_request(files, leaf.enrol);
  if (!request) return enrolment_failure(leaf.enrol, request.error().message);
  const auto& repin = request->predicate.repin;
  if (!repin || repin->epoch != leaf.epoch || repin->next_seq != leaf.next_seq ||
      repin->prev != leaf.prev) {
    return enrolment_failure(leaf.enrol, kNotOnRecord);
  }
  const auto left = find_log(logs, repin->origin);
  if (!left) return std::nullopt;  // The lost log is not here: the verdict says REPINNED.
  if (*left >= repinned.log) {
    return enrolment_failure(leaf.enrol, "it leaves a log that does not come before");
  }
  const auto& log = logs[*left];
  const auto root = base64_decode(repin->root);
  if (repin->size <= log.head.size && (!root || log.root_at(repin->size) != *root)) {
    return Failure{"log-fork", fmt::format("statements/{}.json", leaf.enrol.statement),
                   fmt::format("the host had accepted another tree of size {}", repin->size)};
  }
  return std::nullopt;
}

Result<std::set<std::string, std::less<>>> read_drop(const Files& files, const AgentTimeline& agent,
                                                     const leaf::Drop& drop) {
  if (!drop.statement) return std::set<std::string, std::less<>>{};
  const auto bytes =
      files.read(fmt::format("statements/{}.json", *drop.statement), drop_notice::kNoticeBytesMax);
  if (!bytes) return bytes.error();
  const auto opened = drop_notice::parse(*bytes);
  if (!opened) return opened.error();
  if (opened->statement != *drop.statement) {
    return invalid("the drop notice is not the one that the log holds");
  }
  if (!drop_notice::holds(*opened, agent.epochs[agent.epoch_of(drop.seq)].key)) {
    return invalid("the drop notice is not signed by the key of that bundle");
  }
  if (opened->notice.agent != agent.agent || opened->notice.seq != drop.seq) {
    return invalid("the drop notice is about another bundle");
  }
  std::set<std::string, std::less<>> digests;
  for (const auto& subject : opened->notice.lost) digests.insert(subject.sha256);
  return digests;
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
    if (line == kEmptyDigestHex) return invalid("the empty blob cannot be purged");
    if (line <= before) return invalid("the lines are not sorted, or two are equal");
    before = line;
    digests.emplace(line);
    text.remove_prefix(line.size() + 1);
  }
  return digests;
}

}  // namespace vouch::verify
