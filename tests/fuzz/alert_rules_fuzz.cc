// SPDX-License-Identifier: Apache-2.0
// A rule file, template, alert or answer of any bytes is read or refused; what was read of an alert
// is written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "alerts/alert.h"
#include "alerts/rules.h"
#include "alerts/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace alerts = vouch::alerts;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto rules = alerts::parse_rules(bytes, "fuzz.yaml");
  if (!rules && !std::string_view(rules.error().message).starts_with("fuzz.yaml:")) std::abort();
  for (const auto kind : {alerts::TemplateKind::subject, alerts::TemplateKind::condition}) {
    const auto parsed = alerts::Template::parse(bytes, kind);
    if (parsed) (void)parsed->render([](std::string_view name) { return std::string(name); });
  }
  (void)alerts::parse_answer(bytes);
  const auto alert = alerts::parse_alert(bytes);
  if (!alert) return 0;
  const std::string written = vouch::json::write(alerts::to_json(*alert));
  if (written.size() > alerts::kAlertBytesMax) return 0;
  const auto again = alerts::parse_alert(written);
  if (!again || vouch::json::write(alerts::to_json(*again)) != written) std::abort();
  return 0;
}
