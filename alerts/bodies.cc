// SPDX-License-Identifier: Apache-2.0
#include "alerts/bodies.h"

#include "alerts/wording.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"

namespace vouch::alerts {
namespace {

// What chats show and take; the rest is counted.
constexpr std::size_t kChatTextsMax = 20;
constexpr std::size_t kChatBytesMax = 20u << 10;
constexpr WallMs kShortLivedMs = 3'600'000;

// The texts that fit, and a line that says how many do not.
std::vector<std::string> chat_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  std::size_t bytes = 0;
  for (const std::string& text : texts) {
    if (out.size() >= kChatTextsMax || bytes + text.size() > kChatBytesMax) break;
    bytes += text.size();
    out.push_back(text);
  }
  const std::size_t more = texts.size() - out.size();
  if (more > 0) {
    out.push_back("… and " + std::to_string(more) + " more: `vouch alert list` on the host");
  }
  return out;
}

// Slack reads &, < and > alone; *bold* and the like are switched off by mrkdwn.
std::string escape_slack(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view slack_colour(const Alert& alert) {
  if (all_resolved(alert)) return "#2e7d32";
  switch (worst_of(alert)) {
    case Severity::critical:
      return "#b71c1c";
    case Severity::high:
      return "#e65100";
    case Severity::medium:
      return "#f9a825";
    case Severity::low:
      break;
  }
  return "#607d8b";
}

std::string_view teams_colour(const Alert& alert) {
  if (all_resolved(alert)) return "Good";
  return worst_of(alert) >= Severity::high ? "Attention" : "Warning";
}

// A run of text is never read as Markdown, as a TextBlock would be.
json::Value text_run(std::string_view text, bool bold, std::string_view colour) {
  json::Object run{{"type", "TextRun"}, {"text", text}};
  if (bold) run["weight"] = "Bolder";
  if (!colour.empty()) run["color"] = colour;
  return json::Object{{"type", "RichTextBlock"}, {"inlines", json::Array{run}}};
}

json::Object labels_of(const Alert& alert, std::string_view name, Severity severity) {
  return {{"alertname", name},
          {"severity", to_string(severity)},
          {"host", alert.sender.name},
          {"vouch_sender", alert.sender.id}};
}

json::Value short_lived(const Alert& alert, const ChannelSpec& spec) {
  const Wording words = word(alert, spec);
  const bool held = alert.type == AlertType::held;
  return json::Object{
      {"labels", labels_of(alert, held ? "alerts-held-back" : "vouch-test", worst_of(alert))},
      {"annotations",
       json::Object{{"summary", words.subject}, {"description", words.texts.front()}}},
      {"startsAt", format_instant(alert.made)},
      {"endsAt", format_instant(alert.made + kShortLivedMs)}};
}

json::Value alertmanager_alert(const Alert& alert, const ToldCondition& told,
                               const std::string& text) {
  const Condition& condition = told.condition;
  json::Object labels = labels_of(alert, condition.kind, condition.severity);
  for (const auto& [name, value] : condition.labels) labels[name] = value;
  labels["vouch_key"] = condition.key;
  json::Object annotations{{"summary", condition.title}, {"description", text}};
  if (!condition.value.empty()) annotations["value"] = condition.value;
  if (!condition.remedy.empty()) annotations["remedy"] = condition.remedy;
  // An alert without an end is over for Alertmanager after its resolve_timeout of 5 minutes.
  const bool over = told.status == ConditionStatus::resolved;
  const WallMs ends = over ? told.ended : told.holds_until;
  json::Object out{{"labels", std::move(labels)},
                   {"annotations", std::move(annotations)},
                   {"startsAt", format_instant(told.since)}};
  if (ends != 0) out["endsAt"] = format_instant(ends);
  return out;
}

}  // namespace

std::string webhook_body(const Alert& alert, WallMs sent) {
  json::Value value = to_json(alert);
  (*value.if_object())["sent"] = format_instant(sent);
  return json::write(value);
}

std::string webhook_signature(std::string_view secret, std::string_view body) {
  return "sha256=" + hex_encode(hmac_sha256(secret, body));
}

std::string slack_body(const Alert& alert, const ChannelSpec& spec) {
  const Wording words = word(alert, spec);
  json::Array attachments;
  for (const std::string& text : chat_texts(words.texts)) {
    attachments.push_back(json::Object{{"color", slack_colour(alert)},
                                       {"fallback", escape_slack(text)},
                                       {"text", escape_slack(text)},
                                       {"mrkdwn_in", json::Array{}}});
  }
  return json::write(json::Object{{"text", escape_slack(words.subject)},
                                  {"mrkdwn", false},
                                  {"attachments", std::move(attachments)}});
}

std::string teams_body(const Alert& alert, const ChannelSpec& spec) {
  const Wording words = word(alert, spec);
  json::Array blocks{text_run(words.subject, true, teams_colour(alert))};
  for (const std::string& text : chat_texts(words.texts)) {
    blocks.push_back(text_run(text, false, ""));
  }
  json::Object card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                    {"type", "AdaptiveCard"},
                    {"version", "1.4"},
                    {"body", std::move(blocks)}};
  json::Object attachment{{"contentType", "application/vnd.microsoft.card.adaptive"},
                          {"content", std::move(card)}};
  return json::write(json::Object{{"type", "message"}, {"attachments", json::Array{attachment}}});
}

std::string alertmanager_body(const Alert& alert, const ChannelSpec& spec) {
  if (alert.type != AlertType::conditions) {
    return json::write(json::Array{short_lived(alert, spec)});
  }
  const Wording words = word(alert, spec);
  json::Array out;
  for (std::size_t i = 0; i < alert.conditions.size(); ++i) {
    out.push_back(alertmanager_alert(alert, alert.conditions[i], words.texts[i]));
  }
  return json::write(out);
}

}  // namespace vouch::alerts
