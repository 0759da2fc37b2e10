// SPDX-License-Identifier: Apache-2.0
// The arithmetic of judgements (docs/formats/verifier.md, "Judgements"): was each control judged on
// each host as often as its owner approved in the pack, over the period? Fed by the verifier with
// what holds; keeps a few hundred bytes per control and host, whatever the length of the log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "policies/engine/control_rule.h"
#include "policies/engine/policy_sets.h"
#include "proto/verify/run_sink.h"
#include "proto/verify/verdict.h"

namespace vouch::policy {

// One control on one host.
struct ControlSlots {
  std::string control;
  std::int64_t frequency_s = 0;  // The newest in force.
  std::int64_t required = 0;     // Slots.
  std::int64_t judged = 0;       // Those in which each of its checks was judged.
  WallMs longest_gap_ms = 0;     // In which one of its checks was not judged.
  WallMs longest_gap_from = 0;
  std::int64_t errors = 0;      // Outcomes.
  std::int64_t suppressed = 0;  // Runs of the collectors that judge it.
  std::int64_t changes = 0;     // Of schedule, parameters or pack.

  // It operated over the period only where every required slot was judged.
  [[nodiscard]] bool operated() const { return required > 0 && judged == required; }
};

struct HostSlots {
  std::string agent;
  std::string name;
  std::vector<ControlSlots> controls;  // Sorted by id.
  // A policy set of this host's could not be read (dropped, purged, of no form): the rules before
  // it were counted on.
  bool policy_unknown = false;
};

// A change inside the period, on every host that made it.
struct SlotChange {
  ChangeKind kind = ChangeKind::pack;
  std::string of;  // Control; collector for a schedule.
  std::string what;
  WallMs first_at = 0;
  WallMs last_at = 0;
  std::int64_t times = 0;  // Over all hosts.
};

struct SlotReport {
  std::optional<verify::Period> period;  // Asked for; absent: each chain's own time.
  std::vector<HostSlots> hosts;          // Sorted by agent.
  std::vector<SlotChange> changes;       // By first_at; at most kSlotChangesMax.
  std::int64_t changes_left_out = 0;
};
inline constexpr std::size_t kSlotChangesMax = 1000;
inline constexpr std::size_t kPolicySetsMax = 4096;  // Different ones in one log.

json::Value to_json(const SlotReport& report);

class SlotCounter final : public verify::RunSink {
 public:
  // `sets` must outlive it.
  SlotCounter(PolicySets& sets, std::optional<verify::Period> period)
      : sets_(sets), period_(period) {}

  void take_bundle(const verify::VerifiedBundle& bundle) override;
  void take_run(const verify::VerifiedRun& run, const BlobReader& blobs) override;
  // Ends the count with the hosts of the verdict. Call once.
  SlotReport finish(const std::vector<verify::Host>& hosts);

 private:
  struct CheckState {
    WallMs since = 0;        // Judged last, or in force since.
    std::int64_t slot = -1;  // Judged last in this slot of the stretch; -1: not in it.
  };
  // A stretch of time under one frequency and one set of checks, cut into slots from its begin on.
  struct ControlState {
    const ControlRule* rule = nullptr;  // nullptr: no longer in force.
    WallMs begin = 0;
    std::vector<CheckState> checks;  // As rule->checks.
    std::int64_t slot = -1;          // The newest with a judgement …
    std::size_t checks_in_slot = 0;  // … of so many checks.
    std::int64_t filled = 0;
    std::int64_t filled_last = -1;    // The newest filled slot,
    std::int64_t filled_before = -1;  // and the one filled before it.
    ControlSlots sum;
  };
  struct HostState {
    WallMs owed_from = 0;
    std::string policy;
    bool policy_unknown = false;
    std::map<std::string, ControlState, std::less<>> controls;
    std::vector<ScheduleEntry> schedule;
    std::map<std::string, std::int64_t, std::less<>> suppressed;        // By collector.
    std::map<std::string, std::int64_t, std::less<>> schedule_changes;  // By collector.
  };

  const Rules* rules(const std::string& policy, const BlobReader& blobs);
  void apply_policy(HostState& host, WallMs at, const std::string& policy, const BlobReader& blobs);
  void apply_rule(HostState& host, ControlState& state, const ControlRule& rule, WallMs at,
                  WallMs begin);
  void note_schedule(HostState& host, WallMs at, const std::vector<ScheduleEntry>& schedule);
  void note_change(const HostState& host, ChangeKind kind, std::string_view of, std::string what,
                   WallMs at, std::int64_t& counter);
  [[nodiscard]] bool ends_before(WallMs at) const { return period_ && at >= period_->to; }
  HostSlots close(const verify::Host& host, HostState& state) const;

  static void begin_stretch(ControlState& state, const ControlRule& rule, WallMs begin);
  static void end_stretch(ControlState& state, WallMs end);
  static void judge(ControlState& state, std::string_view check, WallMs at);

  PolicySets& sets_;
  std::optional<verify::Period> period_;
  RulePool pool_;
  std::map<std::string, Rules, std::less<>> rules_;  // By policy set.
  std::map<std::string, HostState, std::less<>> hosts_;
  std::map<std::string, std::set<std::string>, std::less<>> collectors_;  // That judge a control.
  std::map<std::pair<std::string, std::string>, SlotChange> changes_;     // By `of` and `what`.
  std::int64_t changes_left_out_ = 0;
};

}  // namespace vouch::policy
