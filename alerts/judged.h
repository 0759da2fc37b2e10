// SPDX-License-Identifier: Apache-2.0
// What was judged, as conditions for the engine of alerts (docs/alerts.md): the same for one host
// and for each host of a fleet. Pure: each function says, from values, all that is wrong as seen
// from one source.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/condition.h"
#include "proto/outcomes.h"
#include "proto/subjects.h"

namespace vouch::alerts {

// What is known of a check, in the words of who wrote it.
struct CheckFacts {
  Severity severity = Severity::medium;
  std::string title;
  std::string control;
  std::string ref;    // Row of the catalogue of technical checks; may be empty.
  std::string owner;  // Of its control; may be empty.
  std::string remedy;
  std::string expected;  // With its parameters; may be empty.
};
// Nothing: no such check is known.
using FindCheck = std::function<std::optional<CheckFacts>(std::string_view check)>;

// What is put on every condition of a host, and what is known of controls.
struct AlertContext {
  Labels labels;                                             // `host` and those of the site.
  std::map<std::string, std::string, std::less<>> criteria;  // By control: "soc2-2017 CC6.1".
  FindCheck find = nullptr;
};

// control-drift and not-judged. A findings blob that is lost leaves only its rows out.
Report outcomes_report(const AlertContext& context, const std::string& collector,
                       const std::vector<Outcome>& outcomes, const BlobReader& read);
// configuration-drift, from the input table `drift`; one condition for each row of a table.
Report drift_report(const AlertContext& context, const std::string& collector,
                    std::string_view drift);
// A condition with the labels of the context.
Condition make_condition(const AlertContext& context, std::string key, std::string_view kind,
                         Severity severity, std::string title);

}  // namespace vouch::alerts
