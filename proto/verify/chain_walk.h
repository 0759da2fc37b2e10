// SPDX-License-Identifier: Apache-2.0
// Steps 5 to 10 of the verifier for one chain: bundle after bundle, in the order of their seq.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/verify/blobs.h"
#include "proto/verify/coverage.h"
#include "proto/verify/log_reader.h"
#include "proto/verify/replayer.h"
#include "proto/verify/timeline.h"
#include "proto/verify/verdict.h"

namespace vouch::verify {

// An envelope that is what the log says, and says what it should; or why not.
struct Opened {
  std::optional<Failure> failure;
  std::string id;  // Hex.
  Statement statement;
};

// Step 5, and the form of step 6. Touches nothing shared: for any thread.
Opened open_bundle(std::string_view envelope_bytes, std::string_view where, std::string_view id_hex,
                   std::string_view signature, const PublicKey& key);

// What all chains of a verification have in common.
struct Context {
  const Options& options;
  Logs& logs;  // Of a whole store; none in selective mode.
  Blobs& blobs;
  Verdict& verdict;
  std::set<std::string, std::less<>> purged = {};                     // Blobs.
  std::set<std::pair<std::string, std::string>> approved = {};        // (digest, agent or "": all)
  std::set<std::pair<std::string, std::string>> judged_changes = {};  // Counted once per agent.
  std::set<std::string, std::less<>> missing = {};                    // Blobs counted as such.
  WallMs log_end = 0;             // The time of the last leaf; of a whole log alone.
  bool withheld_allowed = false;  // Selective: a missing blob is withheld, no failure.
};

class ChainWalk {
 public:
  ChainWalk(Context& context, const AgentTimeline& timeline);
  // Selective: starts in the middle, with a bundle whose link is not known.
  void start_at(const Bundle& bundle, std::string spki);

  // The next bundle. Its leaf's `prev`, `at` and index; absent in selective mode without a receipt.
  struct Place {
    std::string prev;
    WallMs at = 0;
    std::uint64_t index = 0;
    std::size_t log = 0;      // Into Context::logs.
    std::uint64_t place = 0;  // Over all logs.
  };
  [[nodiscard]] std::optional<Failure> take(const Opened& opened,
                                            const std::optional<Place>& place);
  // Digests lost by a drop leaf of the bundle `seq`; empty set: all of them.
  void set_dropped(std::int64_t seq, std::set<std::string, std::less<>> digests);
  // Counts something that is allowed, but must show.
  void anomaly(std::string what);
  // The host's last promise against the end of the log: silence that no leaf dates is an anomaly.
  void note_silence();
  [[nodiscard]] Host finish() const;

 private:
  using Observed = std::pair<ObservationOnRecord, RunContent>;

  std::optional<Failure> check_place(const Opened& opened, const std::optional<Place>& place);
  std::optional<Failure> check_begin(const Bundle& bundle);
  std::optional<Failure> check_log_seen(const Bundle& bundle, const std::optional<Place>& place);
  std::optional<Failure> check_log_order(std::size_t seen, std::uint64_t size, const Place& place);
  [[nodiscard]] bool is_whole() const { return context_.verdict.mode == Mode::full; }
  std::optional<Failure> check_rotation(const Bundle& bundle);
  std::optional<Failure> check_blobs(const Statement& statement);
  std::optional<Failure> check_run(const Statement& statement, const Observation& observation);
  std::optional<Failure> check_content(const RunContent& content);
  std::optional<Failure> check_outcomes(const RunContent& content);
  std::optional<Failure> replay(const Statement& statement, const Observation& observation,
                                const RunContent& content);
  const RunContent* resolve(const Bundle& bundle, const Observation& observation) const;
  void remember(const Bundle& bundle);
  void note_anomalies(const Bundle& bundle, const std::optional<Place>& place,
                      const Statement& statement);
  void note_missing(std::string_view sha256);
  bool count_approvals(const RunContent& content);
  void count_runs(const Bundle& bundle, const std::vector<ScheduleEntry>* schedule);
  [[nodiscard]] bool is_excused(std::string_view sha256);
  [[nodiscard]] Failure fail(std::string_view reason, std::string detail) const;

  Context& context_;
  const AgentTimeline& timeline_;
  ChainLink link_;
  bool link_known_ = true;
  std::string where_;  // "<agent>/<seq>" of the bundle under check.
  std::int64_t seq_ = 0;
  std::size_t log_seen_ = 0;        // The log that the bundle before saw.
  std::optional<WallMs> next_due_;  // What the bundle before promised.
  WallMs last_at_ = 0;              // Its leaf's.
  CoverageCounter coverage_;
  Host host_;
  std::map<std::pair<std::int64_t, std::string>, Observed> observed_;  // Of the last 48 h.
  std::map<std::int64_t, std::set<std::string, std::less<>>> dropped_;
};

}  // namespace vouch::verify
