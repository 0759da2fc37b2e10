// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/scorecard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace vouch::policy {
namespace {

void count(OutcomeCounts& counts, const ScorecardCheck& check) {
  if (!check.judged) {
    ++counts.not_judged;
    return;
  }
  switch (check.outcome) {
    case OutcomeKind::pass:
      ++counts.pass;
      break;
    case OutcomeKind::fail:
      ++counts.fail;
      break;
    case OutcomeKind::error:
      ++counts.error;
      break;
    case OutcomeKind::not_applicable:
      ++counts.not_applicable;
      break;
    case OutcomeKind::waived:
      check.claimed ? ++counts.fail : ++counts.waived;
      break;
  }
  if (check.claimed) ++counts.claimed;
}

class Maker {
 public:
  Maker(const Mapping& mapping, const PackSet& packs, const std::vector<Outcome>& outcomes,
        const std::vector<std::string>& unapproved)
      : mapping_(mapping), packs_(packs), unapproved_(unapproved.begin(), unapproved.end()) {
    for (const auto& outcome : outcomes) outcomes_.emplace(outcome.check, &outcome);
  }

  [[nodiscard]] ScorecardCheck look_up(const Check& check) const {
    ScorecardCheck result;
    result.check = &check;
    const auto it = outcomes_.find(check.id);
    if (it == outcomes_.end()) return result;
    const auto& outcome = *it->second;
    result.judged = true;
    result.outcome = outcome.outcome;
    result.message = outcome.message;
    result.violations = outcome.violations;
    result.waived = outcome.waived;
    result.claimed = std::any_of(outcome.waiver_ids.begin(), outcome.waiver_ids.end(),
                                 [&](const auto& id) { return unapproved_.contains(id); });
    return result;
  }

  // Fills controls, checks, counts and notes of the row.
  void add_controls(CriterionRow& row) const {
    std::set<std::string> controls;
    for (const auto& entry : mapping_.entries) {
      if (entry.criterion != row.criterion.id) continue;
      const auto* control = packs_.find_control(entry.control);
      if (control == nullptr) continue;
      if (auto broken = broken_bound(entry, *control); !broken.empty()) {
        row.notes.push_back(fmt::format("{} does not count: {}", control->id, broken));
        continue;
      }
      if (entry.relation == "supports") {
        row.notes.push_back(fmt::format("{} supports it, without testing it", control->id));
        continue;
      }
      if (!controls.insert(control->id).second) continue;
      for (const auto& check : control->checks) row.checks.push_back(look_up(check));
    }
    row.controls = {controls.begin(), controls.end()};
    std::sort(row.checks.begin(), row.checks.end(),
              [](const auto& a, const auto& b) { return a.check->id < b.check->id; });
    for (const auto& check : row.checks) count(row.counts, check);
  }

 private:
  const Mapping& mapping_;
  const PackSet& packs_;
  std::map<std::string_view, const Outcome*> outcomes_;
  std::set<std::string_view> unapproved_;
};

// A criterion is tested in part where a check said something of this host; a statement of a person
// stands where none did.
void decide(CriterionRow& row, const std::vector<CriterionStatement>& statements,
            std::string_view now) {
  const auto& counts = row.counts;
  if (counts.pass + counts.fail + counts.waived > 0) row.coverage = Coverage::tested_in_part;
  for (const auto& statement : statements) {
    if (statement.criterion != row.criterion.id) continue;
    if (!statement.valid_until.empty() && statement.valid_until <= now) {
      row.notes.push_back(
          fmt::format("\"{}\" expired on {}", statement.text, statement.valid_until.substr(0, 10)));
      continue;
    }
    row.statement = statement.text;
    if (row.coverage == Coverage::gap) row.coverage = statement.coverage;
  }
}

json::Value to_json(const OutcomeCounts& counts) {
  return json::Object{{"pass", counts.pass},
                      {"fail", counts.fail},
                      {"error", counts.error},
                      {"not_applicable", counts.not_applicable},
                      {"waived", counts.waived},
                      {"claimed", counts.claimed},
                      {"not_judged", counts.not_judged}};
}

json::Value texts(const std::vector<std::string>& list) {
  json::Array array;
  for (const auto& each : list) array.emplace_back(each);
  return array;
}

json::Object describe(const Check& check) {
  json::Object object{{"check", check.id},
                      {"control", check.control},
                      {"title", check.title},
                      {"severity", to_string(check.severity)}};
  if (!check.ref.empty()) object.emplace("ref", check.ref);
  return object;
}

json::Value to_json(const ScorecardCheck& check) {
  auto object = describe(*check.check);
  object.emplace("outcome", check.judged ? to_string(check.outcome) : "not_judged");
  object.emplace("violations", check.violations);
  object.emplace("waived", check.waived);
  object.emplace("claimed", check.claimed);
  if (!check.message.empty()) object.emplace("message", check.message);
  return object;
}

}  // namespace

std::string_view to_string(Coverage coverage) {
  switch (coverage) {
    case Coverage::tested_in_part:
      return "tested in part";
    case Coverage::attached:
      return "attached";
    case Coverage::not_applicable:
      return "not applicable";
    case Coverage::gap:
      return "gap";
  }
  return "gap";
}

Scorecard make_scorecard(const Framework& framework, const Mapping& mapping, const PackSet& packs,
                         const std::vector<Outcome>& outcomes,
                         const std::vector<CriterionStatement>& statements,
                         const std::vector<std::string>& unapproved_waivers, std::string_view now) {
  Scorecard card;
  card.framework = framework.id;
  card.title = framework.title + " " + framework.edition;
  const Maker maker(mapping, packs, outcomes, unapproved_waivers);
  std::map<std::string_view, ScorecardCheck> all;
  for (const auto& criterion : framework.criteria) {
    CriterionRow row;
    row.criterion = criterion;
    maker.add_controls(row);
    decide(row, statements, now);
    for (const auto& check : row.checks) all.emplace(check.check->id, check);
    switch (row.coverage) {
      case Coverage::tested_in_part:
        ++card.tested_in_part;
        break;
      case Coverage::attached:
        ++card.attached;
        break;
      case Coverage::not_applicable:
        ++card.not_applicable;
        break;
      case Coverage::gap:
        ++card.gaps;
        break;
    }
    card.rows.push_back(std::move(row));
  }
  for (const auto& [id, check] : all) count(card.counts, check);
  return card;
}

json::Value to_json(const Scorecard& scorecard) {
  json::Array rows;
  for (const auto& row : scorecard.rows) {
    json::Array checks;
    for (const auto& check : row.checks) checks.push_back(to_json(check));
    json::Object object{{"criterion", row.criterion.id},
                        {"title", row.criterion.title},
                        {"category", row.criterion.category},
                        {"group", row.criterion.group},
                        {"coverage", to_string(row.coverage)},
                        {"outcomes", to_json(row.counts)},
                        {"controls", texts(row.controls)},
                        {"checks", std::move(checks)},
                        {"notes", texts(row.notes)}};
    if (!row.criterion.host.empty()) object.emplace("host", row.criterion.host);
    if (!row.statement.empty()) object.emplace("statement", row.statement);
    rows.emplace_back(std::move(object));
  }
  return json::Object{{"framework", scorecard.framework},
                      {"title", scorecard.title},
                      {"criteria", std::move(rows)},
                      {"outcomes", to_json(scorecard.counts)},
                      {"tested_in_part", scorecard.tested_in_part},
                      {"attached", scorecard.attached},
                      {"not_applicable", scorecard.not_applicable},
                      {"gaps", scorecard.gaps}};
}

json::Value to_json(const Check& check, const Outcome& outcome) {
  auto object = describe(check);
  object.emplace("outcome", to_string(outcome.outcome));
  object.emplace("violations", outcome.violations);
  object.emplace("waived", outcome.waived);
  if (!outcome.message.empty()) object.emplace("message", outcome.message);
  if (outcome.findings) object.emplace("findings", *outcome.findings);
  if (!outcome.waiver_ids.empty()) object.emplace("waiver_ids", texts(outcome.waiver_ids));
  return object;
}

}  // namespace vouch::policy
