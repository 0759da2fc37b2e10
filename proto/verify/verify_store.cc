// SPDX-License-Identifier: Apache-2.0
// A store's directory, whole. Two passes: the log alone, then its bundles in log order, a chunk
// opened by several threads while the chunk before is walked.
#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/zstd.h"
#include "proto/limits.h"
#include "proto/verify/chain_walk.h"
#include "proto/verify/parallel.h"
#include "proto/verify/statements.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kChunk = 256;            // Bundles opened at once.
constexpr std::size_t kChunkBlobsMax = 16384;  // Digests looked up ahead of a walk.
constexpr WallMs kMsPerSecond = 1000;
constexpr WallSeconds kStampSlackSeconds = 5;  // Between two clocks that are both right.

Failure fail(std::string_view reason, std::string_view where, std::string detail) {
  return {std::string(reason), std::string(where), std::move(detail)};
}

// A file kept raw or compressed, never both ways.
Result<std::string> read_either(const Files& files, const std::string& path,
                                std::size_t bytes_max) {
  auto compressed = files.read(path + ".zst", bytes_max);
  if (compressed) return zstd::decompress(*compressed, bytes_max);
  if (compressed.error().code != Errc::not_found) return compressed;
  return files.read(path, bytes_max);
}

Result<std::string> read_blob(const Files& files, std::string_view sha256) {
  return read_either(files, fmt::format("blobs/sha256/{}/{}", sha256.substr(0, 2), sha256),
                     kBlobBytesMax);
}

bool same_succession(const std::optional<leaf::Succession>& peeked, const leaf::Succession* read) {
  if (!peeked || read == nullptr) return !peeked && read == nullptr;
  return peeked->origin == read->origin && peeked->size == read->size &&
         peeked->root == read->root && peeked->statement == read->statement;
}

class StoreVerification {
 public:
  StoreVerification(const Files& files, const Options& options)
      : files_(files),
        options_(options),
        blobs_([&files](std::string_view sha256) { return read_blob(files, sha256); },
               options.threads),
        context_{options, logs_, blobs_, verdict_} {}

  Verdict run() {
    verdict_.mode = Mode::full;
    verdict_.replayed = options_.replayer != nullptr;
    policy_file::Policy policy;
    if (!note(read_anchors(files_, options_, verdict_, policy))) return take();
    std::vector<LogPlace> places;
    if (!note(find_logs(files_, policy, places))) return take();
    for (const auto& place : places) {
      if (!note(read_one_log(policy, place))) return take();
    }
    note_succession(places);
    note_unchecked();
    verdict_.logged = true;
    if (!note(read_purges())) return take();
    context_.log_end = timelines_.last_at;
    prepare_agents();
    walk_all();
    for (std::size_t i = 0; i < walks_.size(); ++i) {
      if (!timelines_.agents[i].failure) walks_[i]->note_silence();
      auto host = walks_[i]->finish();
      host.failure = timelines_.agents[i].failure;
      if (host.failure) host.coverage.reaches_end = false;
      verdict_.hosts.push_back(std::move(host));
    }
    std::ranges::sort(verdict_.hosts, {}, &Host::agent);
    note_rollbacks();
    return take();
  }

 private:
  std::optional<Failure> read_one_log(const policy_file::Policy& policy, const LogPlace& place) {
    timelines_.begin_log(logs_.size(), place.folder);
    const auto sink = [&](std::uint64_t index, const leaf::Leaf& leaf) -> std::optional<Failure> {
      ++verdict_.counts.leaves;
      const auto* succession = std::get_if<leaf::Succession>(&leaf.body);
      if (index == 0 && !same_succession(place.first, succession)) {
        return fail("succession", place.folder + "leaf 0", "it is not what it was at first");
      }
      compare_clocks(place, index, leaf.at);
      return timelines_.add(index, leaf);
    };
    return read_log(files_, options_, policy, place, logs_.emplace_back(), sink);
  }

  // A leaf below a time-stamped checkpoint cannot be younger than the stamp.
  void compare_clocks(const LogPlace& place, std::uint64_t index, WallMs at) {
    const auto& stamps = logs_.back().time_stamps;
    const auto found = stamps.find(index + 1);
    if (found == stamps.end()) return;
    const auto& stamp = found->second;
    const auto where = fmt::format("{}checkpoints/{}.tsr", place.folder, index + 1);
    verdict_.time_stamps.push_back({where, index + 1, stamp});
    if (at > (stamp.time + kStampSlackSeconds) * kMsPerSecond) {
      verdict_.add_anomaly(where,
                           fmt::format("the log's clock: its leaf {} says {}, stamped {}", index,
                                       format_instant(at), format_second(stamp.time)));
    }
  }

  void note_unchecked() {
    std::int64_t tokens = 0;
    for (const auto& log : logs_) tokens += log.time_stamps_unchecked;
    if (tokens == 0) return;
    verdict_.not_checked.push_back(
        fmt::format("{} time stamp{} (RFC 3161): no roots were given (--tsa-ca)", tokens,
                    tokens == 1 ? "" : "s"));
  }

  void note_succession(const std::vector<LogPlace>& places) {
    verdict_.checkpoint = logs_.back().head;
    verdict_.inventory = timelines_.inventory;
    std::set<std::size_t> repinned;
    for (std::size_t i = 1; i < places.size(); ++i) {
      verdict_.earlier.push_back(logs_[i - 1].head);
      if (!places[i].stated) repinned.insert(i);
    }
    for (const auto& agent : timelines_.agents) {
      for (const auto& one : agent.repins) repinned.insert(one.log);
    }
    for (const auto log : repinned) verdict_.repinned.push_back(places[log].origin);
  }

  // Once the bundles have said what they saw.
  void note_rollbacks() {
    for (std::size_t i = 0; i + 1 < logs_.size(); ++i) {
      const auto& log = logs_[i];
      if (log.size_seen <= log.head.size) continue;
      verdict_.rollbacks.push_back({log.key.name, log.head.size, log.size_seen});
    }
  }

  bool note(std::optional<Failure> failure) {
    if (failure) verdict_.failures.push_back(*std::move(failure));
    return !failure;
  }

  Verdict take() {
    verdict_.counts.blobs = blobs_.count();
    verdict_.counts.blob_bytes = blobs_.bytes();
    verdict_.counts.late = timelines_.late;
    verdict_.counts.overdue = timelines_.overdue;
    return std::move(verdict_);
  }

  std::optional<Failure> read_purges() {
    for (const auto& purge : timelines_.purges) {
      const auto where = fmt::format("blob {}", purge.manifest);
      const auto manifest = blobs_.read(purge.manifest);
      if (!manifest) return fail("purge", where, manifest.error().message);
      auto digests = parse_digest_list(*manifest);
      if (!digests) return fail("purge", where, digests.error().message);
      if (static_cast<std::int64_t>(digests->size()) != purge.count) {
        return fail("purge", where, "the leaf says another count");
      }
      context_.purged.merge(*digests);
    }
    return std::nullopt;
  }

  void prepare_agents() {
    for (const auto& approval : timelines_.approvals) {
      context_.approved.emplace(approval.digest, approval.agent.value_or(""));
    }
    for (auto& agent : timelines_.agents) {
      walks_.push_back(std::make_unique<ChainWalk>(context_, agent));
      check_beside(agent, *walks_.back());
    }
  }

  // What lies beside the chain: its enrolment, drop notices, the other branches of forks.
  void check_beside(AgentTimeline& agent, ChainWalk& walk) {
    if (auto failure = check_enrolment(files_, agent)) agent.fail_from(0, *std::move(failure));
    for (const auto& repinned : agent.repins) {
      if (auto failure = check_repin(files_, repinned, logs_)) {
        agent.fail_from(repinned.leaf.next_seq, *std::move(failure));
      }
    }
    for (const auto& drop : agent.drops) {
      auto lost = read_drop(files_, agent, drop);
      if (lost) {
        walk.set_dropped(drop.seq, *std::move(lost));
      } else {
        const auto where = fmt::format("{}/{}", agent.agent, drop.seq);
        agent.fail_from(drop.seq, fail("drop", where, lost.error().message));
      }
    }
    for (const auto& fork : agent.forks) {
      auto failure = check_fork(files_, agent, fork);
      walk.anomaly(fmt::format("{} at {}: {}", failure.reason, failure.where, failure.detail));
      // The branch that was logged first stays the chain: it is walked to its end.
      agent.fail_from(AgentTimeline::kNoLimit, std::move(failure));
    }
  }

  struct Chunk {
    std::size_t begin = 0;
    std::vector<Opened> bundles;
  };

  Opened open_one(const LoggedBundle& bundle) const {
    const auto& agent = timelines_.agents[bundle.agent];
    const auto where = fmt::format("{}/{}", agent.agent, bundle.seq);
    const auto path = fmt::format("bundles/{}.json", where);
    const auto bytes = read_either(files_, path, kEnvelopeBytesMax);
    if (!bytes) {
      Opened opened;
      const bool missing = bytes.error().code == Errc::not_found;
      opened.failure = fail(missing ? "missing-bundle" : "envelope", where, bytes.error().message);
      return opened;
    }
    return open_bundle(*bytes, where, hex_encode(bundle.id), bundle.signature,
                       agent.epochs[agent.epoch_of(bundle.seq)].key);
  }

  Chunk open_chunk(std::size_t begin, std::size_t end, unsigned threads) const {
    Chunk chunk{begin, {}};
    chunk.bundles.resize(end - begin);
    parallel_for(end - begin, threads, [&](std::size_t i) {
      chunk.bundles[i] = open_one(timelines_.bundles[begin + i]);
    });
    return chunk;
  }

  void walk_chunk(Chunk chunk) {
    std::set<std::string> digests;
    for (const auto& opened : chunk.bundles) {
      if (opened.failure || digests.size() > kChunkBlobsMax) continue;
      for (const auto& subject : opened.statement.subject) digests.insert(subject.sha256);
    }
    blobs_.check({digests.begin(), digests.end()});
    for (std::size_t i = 0; i < chunk.bundles.size(); ++i) {
      const auto& logged = timelines_.bundles[chunk.begin + i];
      auto& agent = timelines_.agents[logged.agent];
      if (logged.seq >= agent.sound_below) continue;
      auto& opened = chunk.bundles[i];
      auto failure = std::move(opened.failure);
      if (!failure) {
        failure = walks_[logged.agent]->take(
            opened, ChainWalk::Place{hex_encode(logged.prev), logged.at, logged.index, logged.log,
                                     logged.place});
      }
      if (failure) agent.fail_from(logged.seq, *std::move(failure));
    }
  }

  // One chunk is opened ahead of the one that is walked.
  void walk_all() {
    const auto total = timelines_.bundles.size();
    const auto end_of = [&](std::size_t begin) { return std::min(total, begin + kChunk); };
    if (total == 0) return;
    Chunk current = open_chunk(0, end_of(0), options_.threads);
    while (!current.bundles.empty()) {
      const auto next_begin = current.begin + current.bundles.size();
      Chunk next{next_begin, {}};
      if (options_.threads > 1) {
        std::jthread ahead([&] { next = open_chunk(next_begin, end_of(next_begin), 2); });
        walk_chunk(std::move(current));
      } else {
        walk_chunk(std::move(current));
        next = open_chunk(next_begin, end_of(next_begin), 1);
      }
      current = std::move(next);
    }
  }

  const Files& files_;
  const Options& options_;
  Logs logs_;
  Timelines timelines_;
  Verdict verdict_;
  Blobs blobs_;
  Context context_;
  std::vector<std::unique_ptr<ChainWalk>> walks_;  // Beside timelines_.agents.
};

}  // namespace

Verdict verify_store(const Files& files, const Options& options) {
  return StoreVerification(files, options).run();
}

}  // namespace vouch::verify
