// SPDX-License-Identifier: Apache-2.0
// A condition: something wrong that lasts (docs/alerts.md). What the engine is told, by whoever
// watches: always the whole list of what is wrong as seen from one source, so that telling the same
// twice changes nothing, and what is left out is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::alerts {

enum class Severity { low, medium, high, critical };
std::string_view to_string(Severity severity);
Result<Severity> parse_severity(std::string_view text);

// The kinds of docs/alerts.md.
namespace kind {
inline constexpr std::string_view kControlDrift = "control-drift";
inline constexpr std::string_view kNotJudged = "not-judged";
inline constexpr std::string_view kConfigurationDrift = "configuration-drift";
inline constexpr std::string_view kCollectorFailure = "collector-failure";
inline constexpr std::string_view kSilence = "silence";
inline constexpr std::string_view kWaiverExpiring = "waiver-expiring";
inline constexpr std::string_view kDocumentOverdue = "document-overdue";
inline constexpr std::string_view kSpoolPressure = "spool-pressure";
inline constexpr std::string_view kRefused = "refused";
inline constexpr std::string_view kLogAlarm = "log-alarm";
inline constexpr std::string_view kStoreRollback = "store-rollback";
inline constexpr std::string_view kSpoolDrop = "spool-drop";
inline constexpr std::string_view kOverflow = "alerts-overflow";
}  // namespace kind
bool is_kind(std::string_view text);
const std::vector<std::string_view>& kinds();

inline constexpr std::size_t kTitleBytesMax = 256;
inline constexpr std::size_t kTextBytesMax = 1024;
inline constexpr std::size_t kFindingsShownMax = 5;
inline constexpr std::size_t kLabelsMax = 32;
inline constexpr std::size_t kLabelBytesMax = 256;
inline constexpr std::size_t kConditionsPerReportMax = 500;

using Labels = std::map<std::string, std::string, std::less<>>;

// Texts of any length and content may be put in: tidy() makes them fit.
struct Condition {
  std::string key;  // Which one; at most 512 bytes.
  std::string kind;
  Severity severity = Severity::medium;
  std::string title;
  Labels labels;
  std::string value;
  std::string expected;
  std::string criterion;
  std::string remedy;
  std::vector<std::string> findings;  // JSON text of rows; the first few.
  std::int64_t findings_total = 0;
  std::int64_t magnitude = 0;  // How bad: told again when it rises above what was told.
  WallMs from = 0;             // Fires from then on; 0: now. A promise that must be kept by then.
  WallMs until = 0;            // Over by then, without a word; 0: not by itself.

  bool operator==(const Condition&) const = default;
};

// Shortens texts, takes out control bytes, replaces what looks like a secret, makes invalid UTF-8
// readable.
Condition tidy(Condition condition);
// One text in the same way: at most `bytes_max`, ending in "…" if something was cut.
std::string tidy_text(std::string_view text, std::size_t bytes_max);

struct Report {
  std::string
      source;  // Who says so: "outcomes/access_review". Its earlier conditions are replaced.
  std::vector<Condition> conditions;  // More than kConditionsPerReportMax: the rest as one.
};

json::Value to_json(const Condition& condition);
Result<Condition> parse_condition(const json::Value& value);

// The value of a label, of `kind` or of `severity`; empty if there is none.
std::string label_of(const Condition& condition, std::string_view name);

}  // namespace vouch::alerts
