// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert.h"

#include <algorithm>
#include <array>

namespace vouch::alerts {
namespace {

constexpr std::array<std::string_view, 3> kStatuses{"firing", "resolved", "flapping"};
constexpr std::array<std::string_view, 3> kTypes{"conditions", "held", "test"};
constexpr std::int64_t kVersion = 1;

template <std::size_t N>
Result<std::size_t> find_word(const std::array<std::string_view, N>& words, std::string_view key,
                              const json::Value& object) {
  auto text = json::get_string(object, key);
  if (!text) return std::move(text).error();
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found == words.end()) {
    return Error{Errc::invalid, "member \"" + std::string(key) + "\": unknown word"};
  }
  return static_cast<std::size_t>(found - words.begin());
}

Result<WallMs> instant_or_zero(const json::Value& object, std::string_view key) {
  if (object.find(key) == nullptr) return WallMs{0};
  auto text = json::get_string(object, key);
  if (!text) return std::move(text).error();
  return parse_instant(*text);
}

Result<Labels> read_texts(const json::Value& object, std::string_view key) {
  auto member = json::get_object(object, key);
  if (!member) return std::move(member).error();
  Labels out;
  for (const auto& [name, text] : *(*member)->if_object()) {
    if (text.if_string() == nullptr || out.size() >= kLabelsMax) {
      return Error{Errc::invalid, "member \"" + std::string(key) + "\": expected texts"};
    }
    out[name] = *text.if_string();
  }
  return out;
}

json::Value labels_to_json(const Labels& labels) {
  json::Object out;
  for (const auto& [name, text] : labels) out[name] = text;
  return out;
}

json::Value told_to_json(const ToldCondition& told) {
  const Condition& condition = told.condition;
  json::Object out{{"key", condition.key},
                   {"status", to_string(told.status)},
                   {"kind", condition.kind},
                   {"severity", to_string(condition.severity)},
                   {"title", condition.title},
                   {"labels", labels_to_json(condition.labels)},
                   {"since", format_instant(told.since)}};
  const std::array<std::pair<std::string_view, const std::string*>, 4> texts{
      {{"value", &condition.value},
       {"expected", &condition.expected},
       {"criterion", &condition.criterion},
       {"remedy", &condition.remedy}}};
  for (const auto& [name, text] : texts) {
    if (!text->empty()) out[std::string(name)] = *text;
  }
  if (!condition.findings.empty()) {
    json::Array rows;
    for (const std::string& row : condition.findings) rows.push_back(row);
    out["findings"] = std::move(rows);
    out["findings_total"] = condition.findings_total;
  }
  if (told.ended != 0) out["ended"] = format_instant(told.ended);
  if (told.holds_until != 0) out["holds_until"] = format_instant(told.holds_until);
  return out;
}

Status read_texts_of(const json::Value& value, Condition& condition) {
  const std::array<std::tuple<std::string_view, std::string*, bool>, 7> texts{
      {{"key", &condition.key, true},
       {"kind", &condition.kind, true},
       {"title", &condition.title, true},
       {"value", &condition.value, false},
       {"expected", &condition.expected, false},
       {"criterion", &condition.criterion, false},
       {"remedy", &condition.remedy, false}}};
  for (const auto& [name, out, required] : texts) {
    if (!required && value.find(name) == nullptr) continue;
    auto text = json::get_string(value, name);
    if (!text) return std::move(text).error();
    *out = *std::move(text);
  }
  return Ok{};
}

Status read_findings(const json::Value& value, Condition& condition) {
  if (value.find("findings") == nullptr) return Ok{};
  auto rows = json::get_array(value, "findings");
  if (!rows) return std::move(rows).error();
  for (const json::Value& row : **rows) {
    if (row.if_string() == nullptr || condition.findings.size() >= kFindingsShownMax) {
      return Error{Errc::invalid, "member \"findings\": expected a few texts"};
    }
    condition.findings.push_back(*row.if_string());
  }
  auto total = json::get_integer(value, "findings_total");
  if (!total) return std::move(total).error();
  condition.findings_total = *total;
  return Ok{};
}

Result<ToldCondition> parse_told(const json::Value& value) {
  ToldCondition told;
  if (auto read = read_texts_of(value, told.condition); !read) return std::move(read).error();
  if (auto read = read_findings(value, told.condition); !read) return std::move(read).error();
  auto status = find_word(kStatuses, "status", value);
  if (!status) return std::move(status).error();
  told.status = static_cast<ConditionStatus>(*status);
  auto word = json::get_string(value, "severity");
  if (!word) return std::move(word).error();
  auto severity = parse_severity(*word);
  if (!severity) return std::move(severity).error();
  told.condition.severity = *severity;
  auto labels = read_texts(value, "labels");
  if (!labels) return std::move(labels).error();
  told.condition.labels = *std::move(labels);
  const std::array<std::pair<std::string_view, WallMs*>, 3> instants{
      {{"since", &told.since}, {"ended", &told.ended}, {"holds_until", &told.holds_until}}};
  for (const auto& [name, out] : instants) {
    auto instant = instant_or_zero(value, name);
    if (!instant) return std::move(instant).error();
    *out = *instant;
  }
  return told;
}

Status read_head(const json::Value& value, Alert& alert) {
  auto version = json::get_integer(value, "v");
  if (!version) return std::move(version).error();
  if (*version != kVersion) return Error{Errc::invalid, "member \"v\": expected 1"};
  auto n = json::get_integer(value, "n");
  if (!n) return std::move(n).error();
  auto channel = json::get_string(value, "channel");
  if (!channel) return std::move(channel).error();
  auto made = json::get_string(value, "made");
  if (!made) return std::move(made).error();
  auto instant = parse_instant(*made);
  if (!instant) return std::move(instant).error().in("member \"made\"");
  auto type = find_word(kTypes, "type", value);
  if (!type) return std::move(type).error();
  auto repeat = json::get_bool(value, "repeat");
  if (!repeat) return std::move(repeat).error();
  auto sender = json::get_object(value, "sender");
  if (!sender) return std::move(sender).error();
  auto id = json::get_string(**sender, "id");
  if (!id) return std::move(id).error();
  auto name = json::get_string(**sender, "name");
  if (!name) return std::move(name).error();
  auto group = read_texts(value, "group");
  if (!group) return std::move(group).error();
  alert = {*n,       *std::move(channel),
           "",       {*std::move(id), *std::move(name)},
           *instant, static_cast<AlertType>(*type),
           *repeat,  *std::move(group),
           {},       {}};
  if (value.find("rule") == nullptr) return Ok{};
  auto rule = json::get_string(value, "rule");
  if (!rule) return std::move(rule).error();
  alert.rule = *std::move(rule);
  return Ok{};
}

}  // namespace

std::string_view to_string(ConditionStatus status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

std::string_view to_string(AlertType type) {
  return kTypes.at(static_cast<std::size_t>(type));
}

json::Value to_json(const Held& held) {
  json::Object severities;
  for (const auto& [name, count] : held.severities) severities[name] = count;
  json::Array titles;
  for (const std::string& title : held.titles) titles.push_back(title);
  return json::Object{{"since", format_instant(held.since)},
                      {"firing", held.firing},
                      {"resolved", held.resolved},
                      {"severities", std::move(severities)},
                      {"titles", std::move(titles)}};
}

Result<Held> parse_held(const json::Value& value) {
  Held held;
  auto since = instant_or_zero(value, "since");
  if (!since) return std::move(since).error();
  held.since = *since;
  auto firing = json::get_integer(value, "firing");
  if (!firing) return std::move(firing).error();
  held.firing = *firing;
  auto resolved = json::get_integer(value, "resolved");
  if (!resolved) return std::move(resolved).error();
  held.resolved = *resolved;
  auto severities = json::get_object(value, "severities");
  if (!severities) return std::move(severities).error();
  for (const auto& [name, count] : *(*severities)->if_object()) {
    if (!parse_severity(name) || count.if_integer() == nullptr) {
      return Error{Errc::invalid, "member \"severities\": expected counts by severity"};
    }
    held.severities[name] = *count.if_integer();
  }
  auto titles = json::get_array(value, "titles");
  if (!titles) return std::move(titles).error();
  for (const json::Value& title : **titles) {
    if (title.if_string() == nullptr || held.titles.size() >= kHeldTitlesMax) {
      return Error{Errc::invalid, "member \"titles\": expected a few texts"};
    }
    held.titles.push_back(*title.if_string());
  }
  return held;
}

json::Value to_json(const Alert& alert) {
  json::Array conditions;
  for (const ToldCondition& told : alert.conditions) conditions.push_back(told_to_json(told));
  json::Object out{{"v", kVersion},
                   {"n", alert.n},
                   {"channel", alert.channel},
                   {"sender", json::Object{{"id", alert.sender.id}, {"name", alert.sender.name}}},
                   {"made", format_instant(alert.made)},
                   {"type", to_string(alert.type)},
                   {"repeat", alert.repeat},
                   {"group", labels_to_json(alert.group)},
                   {"conditions", std::move(conditions)}};
  if (!alert.rule.empty()) out["rule"] = alert.rule;
  if (alert.type == AlertType::held) out["held"] = to_json(alert.held);
  return out;
}

Result<Alert> parse_alert(std::string_view text) {
  if (text.size() > kAlertBytesMax) return Error{Errc::too_large, "alert: over 64 KiB"};
  auto value = json::parse(text);
  if (!value) return std::move(value).error();
  Alert alert;
  if (auto read = read_head(*value, alert); !read) return std::move(read).error();
  auto conditions = json::get_array(*value, "conditions");
  if (!conditions) return std::move(conditions).error();
  const bool tells = alert.type == AlertType::conditions;
  if ((*conditions)->size() > kAlertConditionsMax || (*conditions)->empty() == tells) {
    return Error{Errc::invalid, "member \"conditions\": not as many as the type says"};
  }
  for (const json::Value& each : **conditions) {
    auto told = parse_told(each);
    if (!told) return std::move(told).error().in("member \"conditions\"");
    alert.conditions.push_back(*std::move(told));
  }
  if (alert.type != AlertType::held) return alert;
  auto member = json::get_object(*value, "held");
  if (!member) return std::move(member).error();
  auto held = parse_held(**member);
  if (!held) return std::move(held).error();
  alert.held = *std::move(held);
  return alert;
}

std::string write_answer(const Answer& answer) {
  json::Object out{{"n", answer.n}};
  if (answer.sent) out["sent"] = format_instant(*answer.sent);
  if (answer.failed) {
    out["failed"] = format_instant(*answer.failed);
    out["message"] = tidy_text(answer.message, kAnswerMessageBytesMax);
  }
  return json::write(out);
}

Result<Answer> parse_answer(std::string_view text) {
  if (text.size() > kAnswerBytesMax) return Error{Errc::too_large, "answer: over 4 KiB"};
  auto value = json::parse(text);
  if (!value) return std::move(value).error();
  auto n = json::get_integer(*value, "n");
  if (!n) return std::move(n).error();
  Answer answer;
  answer.n = *n;
  const std::array<std::pair<std::string_view, std::optional<WallMs>*>, 2> instants{
      {{"sent", &answer.sent}, {"failed", &answer.failed}}};
  for (const auto& [name, out] : instants) {
    if (value->find(name) == nullptr) continue;
    auto instant = instant_or_zero(*value, name);
    if (!instant) return std::move(instant).error();
    *out = *instant;
  }
  if (answer.sent.has_value() == answer.failed.has_value()) {
    return Error{Errc::invalid, "answer: either sent or failed"};
  }
  if (!answer.failed) return answer;
  auto message = json::get_string(*value, "message");
  if (!message) return std::move(message).error();
  answer.message = tidy_text(*message, kAnswerMessageBytesMax);
  return answer;
}

}  // namespace vouch::alerts
