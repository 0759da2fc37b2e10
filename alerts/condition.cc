// SPDX-License-Identifier: Apache-2.0
#include "alerts/condition.h"

#include <algorithm>
#include <array>

#include "core/redact.h"

namespace vouch::alerts {
namespace {

constexpr std::array<std::string_view, 4> kSeverities{"low", "medium", "high", "critical"};
constexpr std::size_t kKeyBytesMax = 512;
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";

// Control bytes become spaces; invalid UTF-8 becomes "?".
std::string printable(std::string_view text) {
  std::string out(text);
  const bool valid = json::is_valid_utf8(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
    if (!valid && byte >= 0x80) c = '?';
  }
  return out;
}

Result<Labels> parse_labels(const json::Value& value) {
  auto object = json::get_object(value, "labels");
  if (!object) return std::move(object).error();
  Labels labels;
  for (const auto& [name, text] : *(*object)->if_object()) {
    if (text.if_string() == nullptr) return Error{Errc::invalid, "label " + name + ": no text"};
    labels[name] = *text.if_string();
  }
  return labels;
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities.at(static_cast<std::size_t>(severity));
}

Result<Severity> parse_severity(std::string_view text) {
  const auto found = std::find(kSeverities.begin(), kSeverities.end(), text);
  if (found == kSeverities.end()) {
    return Error{Errc::invalid, "expected low, medium, high or critical"};
  }
  return static_cast<Severity>(found - kSeverities.begin());
}

const std::vector<std::string_view>& kinds() {
  static const std::vector<std::string_view> all{
      kind::kControlDrift,     kind::kNotJudged,     kind::kConfigurationDrift,
      kind::kCollectorFailure, kind::kSilence,       kind::kWaiverExpiring,
      kind::kDocumentOverdue,  kind::kSpoolPressure, kind::kRefused,
      kind::kLogAlarm,         kind::kStoreRollback, kind::kSpoolDrop,
      kind::kOverflow};
  return all;
}

bool is_kind(std::string_view text) {
  return std::find(kinds().begin(), kinds().end(), text) != kinds().end();
}

std::string tidy_text(std::string_view text, std::size_t bytes_max) {
  if (holds_secret(text)) return std::string(kRedacted);
  std::string out = printable(text);
  if (out.size() <= bytes_max) return out;
  std::size_t end = bytes_max - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  return out.substr(0, end) + std::string(kEllipsis);
}

Condition tidy(Condition condition) {
  condition.key = tidy_text(condition.key, kKeyBytesMax);
  condition.title = tidy_text(condition.title, kTitleBytesMax);
  for (std::string* text :
       {&condition.value, &condition.expected, &condition.criterion, &condition.remedy}) {
    *text = tidy_text(*text, kTextBytesMax);
  }
  if (condition.findings.size() > kFindingsShownMax) condition.findings.resize(kFindingsShownMax);
  for (std::string& row : condition.findings) row = tidy_text(row, kTextBytesMax);
  while (condition.labels.size() > kLabelsMax) condition.labels.erase(condition.labels.begin());
  for (auto& [name, text] : condition.labels) text = tidy_text(text, kLabelBytesMax);
  return condition;
}

json::Value to_json(const Condition& condition) {
  json::Object labels;
  for (const auto& [name, text] : condition.labels) labels[name] = text;
  json::Array findings;
  for (const std::string& row : condition.findings) findings.push_back(row);
  return json::Object{{"key", condition.key},
                      {"kind", condition.kind},
                      {"severity", to_string(condition.severity)},
                      {"title", condition.title},
                      {"labels", std::move(labels)},
                      {"value", condition.value},
                      {"expected", condition.expected},
                      {"criterion", condition.criterion},
                      {"remedy", condition.remedy},
                      {"findings", std::move(findings)},
                      {"findings_total", condition.findings_total},
                      {"magnitude", condition.magnitude},
                      {"from", condition.from},
                      {"until", condition.until}};
}

Result<Condition> parse_condition(const json::Value& value) {
  Condition condition;
  const std::array<std::pair<std::string_view, std::string*>, 7> texts{
      {{"key", &condition.key},
       {"kind", &condition.kind},
       {"title", &condition.title},
       {"value", &condition.value},
       {"expected", &condition.expected},
       {"criterion", &condition.criterion},
       {"remedy", &condition.remedy}}};
  for (const auto& [name, out] : texts) {
    auto text = json::get_string(value, name);
    if (!text) return std::move(text).error();
    *out = *std::move(text);
  }
  const std::array<std::pair<std::string_view, std::int64_t*>, 4> numbers{
      {{"findings_total", &condition.findings_total},
       {"magnitude", &condition.magnitude},
       {"from", &condition.from},
       {"until", &condition.until}}};
  for (const auto& [name, out] : numbers) {
    auto number = json::get_integer(value, name);
    if (!number) return std::move(number).error();
    *out = *number;
  }
  auto word = json::get_string(value, "severity");
  if (!word) return std::move(word).error();
  auto severity = parse_severity(*word);
  if (!severity) return std::move(severity).error();
  condition.severity = *severity;
  auto labels = parse_labels(value);
  if (!labels) return std::move(labels).error();
  condition.labels = *std::move(labels);
  auto findings = json::get_array(value, "findings");
  if (!findings) return std::move(findings).error();
  for (const json::Value& row : **findings) {
    if (row.if_string() == nullptr) return Error{Errc::invalid, "findings: no text"};
    condition.findings.push_back(*row.if_string());
  }
  return condition;
}

std::string label_of(const Condition& condition, std::string_view name) {
  if (name == "kind") return condition.kind;
  if (name == "severity") return std::string(to_string(condition.severity));
  const auto found = condition.labels.find(name);
  return found == condition.labels.end() ? std::string() : found->second;
}

}  // namespace vouch::alerts
