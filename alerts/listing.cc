// SPDX-License-Identifier: Apache-2.0
#include "alerts/listing.h"

#include <fmt/format.h>

namespace vouch::alerts {

std::string member_text(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || value->is_null()) return "";
  return printable(value->if_string() ? *value->if_string() : json::write(*value));
}

const json::Array& member_array(const json::Value& object, std::string_view name) {
  static const json::Array nothing;
  const auto* value = object.find(name);
  return value == nullptr || value->if_array() == nullptr ? nothing : *value->if_array();
}

std::string firing_text(const json::Value& list, const TerminalStyle& style) {
  const auto& firing = member_array(list, "firing");
  if (firing.empty()) return "nothing fires\n";
  TextTable table({"severity", "since", "what", "found"});
  for (const auto& each : firing) {
    const std::string severity = member_text(each, "severity");
    const bool bad = severity == "high" || severity == "critical";
    table.add({severity, member_text(each, "since"), member_text(each, "title"),
               member_text(each, "value")},
              bad ? Colour::red : Colour::none);
  }
  const auto total = json::get_integer(list, "firing_total").value_or(0);
  const auto more = total - static_cast<std::int64_t>(firing.size());
  return table.render(style) + (more > 0 ? fmt::format("and {} more\n", more) : "");
}

std::string alerts_text(const json::Value& list, const TerminalStyle& style) {
  const auto& alerts = member_array(list, "alerts");
  if (alerts.empty()) return "nothing was told yet\n";
  TextTable table({"n", "channel", "made", "state", "about", "trouble"});
  for (const auto& each : alerts) {
    const std::string state = member_text(each, "state");
    table.add({member_text(each, "n"), member_text(each, "channel"), member_text(each, "made"),
               state, member_text(each, "summary"), member_text(each, "message")},
              state == "sent" ? Colour::none : Colour::red);
  }
  return table.render(style);
}

}  // namespace vouch::alerts
