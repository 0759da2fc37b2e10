// SPDX-License-Identifier: Apache-2.0
#include "alerts/wording.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/template.h"

namespace vouch::alerts {
namespace {

constexpr std::size_t kSubjectBytesMax = 250;

// Checked when the rule file was read.
Template template_of(const std::string& text, TemplateKind kind) {
  auto parsed = text.empty() ? Template::standard(kind) : Template::parse(text, kind);
  return parsed ? *std::move(parsed) : Template::standard(kind);
}

std::string status_of(const Alert& alert, const ToldCondition& told) {
  return (alert.repeat ? "still " : "") + std::string(to_string(told.status));
}

std::string findings_of(const Condition& condition) {
  std::string text;
  for (const std::string& row : condition.findings) text += (text.empty() ? "  " : "\n  ") + row;
  const auto shown = static_cast<std::int64_t>(condition.findings.size());
  if (shown > 0 && condition.findings_total > shown) {
    text += fmt::format("\n  and {} more", condition.findings_total - shown);
  }
  return text;
}

std::string second_of(WallMs ms) {
  return ms == 0 ? std::string() : format_second(ms / 1000);
}

std::string value_of(const Alert& alert, const ToldCondition& told, std::string_view name) {
  const Condition& condition = told.condition;
  if (name == "status") return status_of(alert, told);
  if (name == "severity") return std::string(to_string(condition.severity));
  if (name == "kind") return condition.kind;
  if (name == "title") return condition.title;
  if (name == "value") return condition.value;
  if (name == "findings") return findings_of(condition);
  if (name == "expected") return condition.expected;
  if (name == "criterion") return condition.criterion;
  if (name == "since") return second_of(told.since);
  if (name == "ended") return second_of(told.ended);
  if (name == "remedy") return condition.remedy;
  if (name == "key") return condition.key;
  return label_of(condition, name.substr(name.find('.') + 1));
}

std::string text_of(const Held& held) {
  std::string severities;
  for (const auto& [name, count] : held.severities) {
    severities += fmt::format("{}{} {}", severities.empty() ? "" : ", ", count, name);
  }
  std::string text =
      fmt::format("Held back since {} by the rate limit: {} firing, {} resolved ({}).",
                  format_second(held.since / 1000), held.firing, held.resolved, severities);
  for (const std::string& title : held.titles) text += "\n  " + title;
  const auto shown = static_cast<std::int64_t>(held.titles.size());
  if (held.firing + held.resolved > shown) {
    text += fmt::format("\n  and {} more", held.firing + held.resolved - shown);
  }
  return text;
}

std::string subject_of(const Alert& alert, const Template& subject) {
  const ToldCondition* first = alert.conditions.empty() ? nullptr : &alert.conditions.front();
  return subject.render([&](std::string_view name) -> std::string {
    if (name == "n") return std::to_string(alert.n);
    if (name == "sender") return alert.sender.name;
    if (name == "severity") return std::string(to_string(worst_of(alert)));
    if (alert.type == AlertType::held) {
      if (name == "count") return std::to_string(alert.held.firing + alert.held.resolved);
      return name == "status" ? "held back" : "alerts held back by the rate limit";
    }
    if (first == nullptr) return name == "count" ? "0" : name == "status" ? "test" : "a test";
    if (name == "count") return std::to_string(alert.conditions.size());
    return value_of(alert, *first, name);
  });
}

}  // namespace

Severity worst_of(const Alert& alert) {
  Severity worst = Severity::low;
  for (const ToldCondition& told : alert.conditions) {
    worst = std::max(worst, told.condition.severity);
  }
  for (const auto& [name, count] : alert.held.severities) {
    worst = std::max(worst, parse_severity(name).value_or(Severity::low));
  }
  return worst;
}

bool all_resolved(const Alert& alert) {
  return !alert.conditions.empty() &&
         std::all_of(alert.conditions.begin(), alert.conditions.end(),
                     [](const auto& told) { return told.status == ConditionStatus::resolved; });
}

Wording word(const Alert& alert, const ChannelSpec& spec) {
  Wording words;
  words.subject = tidy_text(subject_of(alert, template_of(spec.subject, TemplateKind::subject)),
                            kSubjectBytesMax);
  if (alert.type == AlertType::test) {
    words.texts.push_back(fmt::format("A test of channel {} by {}. Nothing is wrong.",
                                      alert.channel, alert.sender.name));
  }
  if (alert.type == AlertType::held) words.texts.push_back(text_of(alert.held));
  const Template text = template_of(spec.text, TemplateKind::condition);
  for (const ToldCondition& told : alert.conditions) {
    words.texts.push_back(
        text.render([&](std::string_view name) { return value_of(alert, told, name); }));
  }
  return words;
}

}  // namespace vouch::alerts
