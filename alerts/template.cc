// SPDX-License-Identifier: Apache-2.0
#include "alerts/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "proto/names.h"

namespace vouch::alerts {
namespace {

constexpr std::array<std::string_view, 6> kSubjectNames{"status", "severity", "count",
                                                        "sender", "title",    "n"};
constexpr std::array<std::string_view, 12> kConditionNames{
    "status",   "severity",  "kind",  "title", "value",  "findings",
    "expected", "criterion", "since", "ended", "remedy", "key"};
constexpr std::string_view kLabel = "label.";

constexpr std::string_view kStandardSubject = "[{severity}] {sender}: {title} ({status}, {count})";
constexpr std::string_view kStandardText = R"({status}: [{severity}] {title}
Host: {label.host}
Found: {value}
{findings}
Expected: {expected}
Criteria: {criterion}
Since: {since}
Ended: {ended}
To mend it: {remedy})";

bool is_known(std::string_view name, TemplateKind kind) {
  if (kind == TemplateKind::subject) {
    return std::find(kSubjectNames.begin(), kSubjectNames.end(), name) != kSubjectNames.end();
  }
  if (name.starts_with(kLabel)) return is_plain_name(name.substr(kLabel.size()));
  return std::find(kConditionNames.begin(), kConditionNames.end(), name) != kConditionNames.end();
}

Error unknown_name(std::string_view name, TemplateKind kind) {
  const auto shown = json::is_valid_utf8(name) ? name : std::string_view("?");
  if (kind == TemplateKind::subject) {
    return {Errc::invalid,
            fmt::format("no {{{}}}; there is {}", shown, fmt::join(kSubjectNames, ", "))};
  }
  return {Errc::invalid, fmt::format("no {{{}}}; there is {}, label.NAME", shown,
                                     fmt::join(kConditionNames, ", "))};
}

}  // namespace

Result<Template> Template::parse(std::string_view text, TemplateKind kind) {
  if (text.size() > kTemplateBytesMax) {
    return Error{Errc::too_large, fmt::format("over {} bytes", kTemplateBytesMax)};
  }
  Template parsed;
  parsed.lines_.emplace_back();
  std::string plain;
  const auto end_plain = [&] {
    if (!plain.empty()) parsed.lines_.back().push_back({std::exchange(plain, {}), false});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      end_plain();
      parsed.lines_.emplace_back();
    } else if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      plain += c;
      ++i;
    } else if (c == '{') {
      const auto end = text.find('}', i);
      if (end == std::string_view::npos) {
        return Error{Errc::invalid, fmt::format("the brace at byte {} is not closed", i)};
      }
      const auto name = text.substr(i + 1, end - i - 1);
      if (!is_known(name, kind)) return unknown_name(name, kind);
      end_plain();
      parsed.lines_.back().push_back({std::string(name), true});
      i = end;
    } else if (c == '}') {
      return Error{Errc::invalid,
                   fmt::format("the brace at byte {} closes nothing; write }}}}", i)};
    } else {
      plain += c;
    }
  }
  end_plain();
  return parsed;
}

const Template& Template::standard(TemplateKind kind) {
  static const Template subject = parse(kStandardSubject, TemplateKind::subject).value();
  static const Template condition = parse(kStandardText, TemplateKind::condition).value();
  return kind == TemplateKind::subject ? subject : condition;
}

std::string Template::render(const Lookup& value_of) const {
  std::string out;
  bool first = true;
  for (const Line& line : lines_) {
    std::string text;
    bool has_names = false;
    bool has_values = false;
    for (const Part& part : line) {
      if (!part.is_name) {
        text += part.text;
        continue;
      }
      const std::string value = value_of(part.text);
      has_names = true;
      has_values = has_values || !value.empty();
      text += value;
    }
    if (has_names && !has_values) continue;
    if (!first) out += '\n';
    first = false;
    out += text;
  }
  return out;
}

}  // namespace vouch::alerts
