// SPDX-License-Identifier: Apache-2.0
// A scorecard: each criterion of a framework with what stands for it on the hosts judged, or that
// nothing does. One host check never satisfies a broad criterion, so the words are "tested in
// part", "attached", "not applicable" and "gap".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/framework.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

enum class Coverage { tested_in_part, attached, not_applicable, gap };
std::string_view to_string(Coverage coverage);  // "tested in part" …

// What a person states of a criterion: a document attached, or that it does not apply and why.
struct CriterionStatement {
  std::string criterion;
  Coverage coverage = Coverage::attached;  // attached or not_applicable.
  std::string text;                        // Title of the document, or the reason.
  std::string valid_until;                 // A second; empty: no end.
};

// How many checks ended how. `claimed` counts those that rest on a waiver which nobody approved in
// the store: until then they count as `fail`, too, whatever the record says.
struct OutcomeCounts {
  std::int64_t pass = 0;
  std::int64_t fail = 0;
  std::int64_t error = 0;
  std::int64_t not_applicable = 0;
  std::int64_t waived = 0;
  std::int64_t claimed = 0;
  std::int64_t not_judged = 0;  // A check that is mapped here, but has no outcome.
};

struct ScorecardCheck {
  const Check* check = nullptr;
  OutcomeKind outcome = OutcomeKind::error;
  bool judged = false;
  bool claimed = false;
  std::string message;
  std::int64_t violations = 0;
  std::int64_t waived = 0;
};

struct CriterionRow {
  Criterion criterion;
  Coverage coverage = Coverage::gap;
  OutcomeCounts counts;
  std::vector<ScorecardCheck> checks;  // Sorted by check id.
  std::vector<std::string> controls;   // Those that count, sorted.
  std::vector<std::string> notes;      // A bound that does not hold, an expired attachment.
  std::string statement;               // The person's word, for attached and not_applicable.
};

struct Scorecard {
  std::string framework;
  std::string title;
  std::vector<CriterionRow> rows;  // Every criterion of the framework, in its order.
  OutcomeCounts counts;            // Each check once, over all that are mapped.
  std::int64_t tested_in_part = 0;
  std::int64_t attached = 0;
  std::int64_t not_applicable = 0;
  std::int64_t gaps = 0;
};

// `outcomes` are those of one host, over all collectors. `unapproved_waivers` are the ids of
// waivers without an approval in the store; on a host, that is every waiver.
Scorecard make_scorecard(const Framework& framework, const Mapping& mapping, const PackSet& packs,
                         const std::vector<Outcome>& outcomes,
                         const std::vector<CriterionStatement>& statements,
                         const std::vector<std::string>& unapproved_waivers, std::string_view now);

// Every member that names a check carries its `ref`.
json::Value to_json(const Scorecard& scorecard);
json::Value to_json(const Check& check, const Outcome& outcome);

}  // namespace vouch::policy
