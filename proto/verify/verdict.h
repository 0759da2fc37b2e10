// SPDX-License-Identifier: Apache-2.0
// What a verification found (docs/formats/verifier.md), as a value, as text and as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "proto/checkpoint.h"
#include "proto/verify/time_stamp.h"

namespace vouch::verify {

struct Period {
  WallMs from = 0;
  WallMs to = 0;  // Half-open.

  [[nodiscard]] bool holds(WallMs at) const { return at >= from && at < to; }
};

// What does not hold. `reason` is one word for machines (docs/formats/verifier.md lists them),
// `where` names the artefact: "<agent>/<seq>", "tile/0/000.p/7", "checkpoint".
struct Failure {
  std::string reason;
  std::string where;
  std::string detail;  // For a person.
};

// What is allowed, but must show.
struct Anomaly {
  std::string where;
  std::string what;
};

// Runs of one host over a period: expected = observed + failed + missed + suppressed + unexplained.
struct Coverage {
  WallMs from = 0;
  WallMs to = 0;  // Half-open.
  std::int64_t expected = 0;
  std::int64_t observed = 0;
  std::int64_t failed = 0;
  std::int64_t missed = 0;
  std::int64_t suppressed = 0;
  std::int64_t unexplained = 0;
  // The chain covers the period: from its start, or the enrolment, to its end.
  bool reaches_end = true;

  // "COMPLETE", "COMPLETE WITH EXCEPTIONS" or "INCOMPLETE".
  [[nodiscard]] std::string_view verdict() const;
};

// What became of one control on one host: each outcome of each check counts once per observation in
// the period. How many there should be, only a pack says: policies/engine/slots.h.
struct Judgements {
  std::int64_t pass = 0;
  std::int64_t fail = 0;
  std::int64_t waived = 0;          // Under an approved waiver.
  std::int64_t claimed_waived = 0;  // Under one that only the host claims: counts as fail.
  std::int64_t error = 0;           // Not judged.
  std::int64_t not_applicable = 0;
};

struct Replays {
  std::int64_t same = 0;
  std::int64_t different = 0;
  std::int64_t engine_differs = 0;
  std::int64_t not_replayable = 0;

  [[nodiscard]] std::int64_t replayed() const { return same + different + engine_differs; }
};

// The chain of one agent.
struct Host {
  std::string agent;
  std::string name;          // What the host calls itself in its newest bundle.
  std::int64_t bundles = 0;  // Verified.
  std::optional<Failure> failure;
  Coverage coverage;
  // The part of the period in which the host is to be judged: from its enrolment (by the log) to
  // the end, or to its last bundle if it was decommissioned.
  WallMs owed_from = 0;
  WallMs owed_to = 0;
  std::map<std::string, Judgements> controls;
};

enum class Mode {
  full,       // A store's whole log: also shows that nothing was left out.
  selective,  // What was handed in, with its receipts.
};

struct Counts {
  std::int64_t leaves = 0;
  std::int64_t bundles = 0;
  std::int64_t records = 0;
  std::int64_t blobs = 0;
  std::int64_t blob_bytes = 0;
  std::int64_t dropped = 0;   // Blobs missing, with a drop leaf.
  std::int64_t purged = 0;    // Blobs missing, with a purge leaf.
  std::int64_t withheld = 0;  // Blobs not handed in (selective).
  std::int64_t late = 0;
  std::int64_t overdue = 0;  // Leaves.
  std::int64_t anomalies = 0;
  std::int64_t approved = 0;  // Baselines and waiver sets in force with an approval leaf.
  std::int64_t claimed = 0;   // Those without.
};

inline constexpr std::size_t kAnomaliesShownMax = 100;  // All are counted.

// What the headline says.
enum class Standing {
  verified,
  // All holds, but outcomes that were recomputed differ from those on record, and another engine
  // made those: neither confirmed nor refuted.
  engine_differs,
  failed,
};
// "VERIFIED", "VERIFIED, NOT REPLAYED UNDER THE SAME ENGINE", "FAILED": `verdict` of the JSON form.
std::string_view to_string(Standing standing);

// An earlier log that ended below a size that it had signed: it was restored. Leaves above the end
// are in no log, but for those that came again.
struct Rollback {
  std::string origin;
  std::uint64_t end = 0;
  std::uint64_t size_seen = 0;
};

// An RFC 3161 token that holds: the checkpoint, and each leaf below it, was there at that time.
struct StampedCheckpoint {
  std::string where;  // "checkpoints/6.tsr"
  std::uint64_t size = 0;
  TimeStamp stamp;
};

// A list of hosts from elsewhere, by its newest leaf: who never enrolled shows against it alone.
struct InventoryNamed {
  std::string source;
  std::string sha256;
  std::int64_t hosts = 0;
  WallMs at = 0;
};

struct Verdict {
  Mode mode = Mode::full;
  bool anchors_from_export = false;
  bool logged = false;  // Selective: the bundle has a receipt that holds.
  std::optional<checkpoint::Checkpoint> checkpoint;
  std::vector<checkpoint::Checkpoint> earlier;  // The ends of the logs before, in their order.
  std::vector<std::string> repinned;  // Origins that no statement of the log before leads to.
  std::vector<Rollback> rollbacks;
  std::vector<StampedCheckpoint> time_stamps;  // By log and size.
  std::optional<InventoryNamed> inventory;
  std::vector<std::string> not_checked;  // What this verification leaves open, for a person.
  bool replayed = false;
  std::vector<Failure> failures;  // Of the anchors and the log; those of a chain stand in its host.
  std::vector<Host> hosts;        // Sorted by agent.
  std::vector<Anomaly> anomalies;  // The first kAnomaliesShownMax.
  Counts counts;
  Replays replays;

  void add_anomaly(std::string where, std::string what);
  [[nodiscard]] Standing standing() const;
  [[nodiscard]] bool verified() const { return standing() == Standing::verified; }
};

// For a terminal: first line "VERIFIED …" or "FAILED …", then what was counted.
std::string write_text(const Verdict& verdict);
json::Value to_json(const Verdict& verdict);

}  // namespace vouch::verify
