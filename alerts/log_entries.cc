// SPDX-License-Identifier: Apache-2.0
#include "alerts/log_entries.h"

#include <fmt/format.h>

#include <utility>

#include "alerts/wording.h"
#include "core/journal.h"

namespace vouch::alerts {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr int kFacilityDaemon = 3;
constexpr int kNotice = 5;
constexpr int kInfo = 6;
constexpr std::size_t kJournalNameBytesMax = 64;
constexpr std::size_t kSyslogDataBytesMax = 4096;
constexpr std::size_t kSyslogTextBytesMax = 2048;
constexpr std::size_t kSyslogFieldBytesMax = 256;

// syslog(3): critical 2, high 3 (err), medium 4 (warning), low 5 (notice); what is over is 6.
int priority_of(const ToldCondition& told) {
  if (told.status == ConditionStatus::resolved) return kInfo;
  return kNotice - static_cast<int>(told.condition.severity);
}

// "label.host" as VOUCH_LABEL_HOST is made by the journal's writer.
Fields fields_of(const Alert& alert, const ToldCondition* told) {
  Fields fields{{"alert", std::to_string(alert.n)}, {"type", std::string(to_string(alert.type))}};
  if (told == nullptr) return fields;
  const Condition& condition = told->condition;
  fields.insert(fields.end(), {{"key", condition.key},
                               {"status", std::string(to_string(told->status))},
                               {"kind", condition.kind},
                               {"severity", std::string(to_string(condition.severity))},
                               {"since", format_second(told->since / 1000)},
                               {"value", condition.value},
                               {"expected", condition.expected},
                               {"criterion", condition.criterion},
                               {"remedy", condition.remedy}});
  for (const auto& [name, value] : condition.labels) fields.emplace_back("label_" + name, value);
  std::erase_if(fields, [](const auto& field) { return field.second.empty(); });
  return fields;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string journal_entry(const Alert& alert, const ToldCondition* told, int priority,
                          std::string_view text) {
  std::string out;
  journal::append_field(out, "MESSAGE", text);
  journal::append_field(out, "PRIORITY", std::to_string(priority));
  journal::append_field(out, "SYSLOG_IDENTIFIER", "vouch");
  journal::append_field(out, "MESSAGE_ID", kJournalMessageId);
  for (const auto& [name, value] : fields_of(alert, told)) {
    journal::append_field(out, ("VOUCH_" + upper(name)).substr(0, kJournalNameBytesMax), value);
  }
  return out;
}

std::string escape_param(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

// A word of a header: printable, without spaces.
std::string header_word(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (const char c : text.substr(0, bytes_max)) out += c > 0x20 && c < 0x7f ? c : '-';
  return out.empty() ? "-" : out;
}

std::string syslog_entry(const Alert& alert, const ToldCondition* told, int priority,
                         std::string_view text) {
  // 32473 is the number for those who have none (RFC 5612).
  std::string data = "[vouch@32473";
  for (const auto& [name, value] : fields_of(alert, told)) {
    if (name == "remedy" || name == "expected") continue;  // They are in the text.
    if (data.size() > kSyslogDataBytesMax) break;
    data += fmt::format(" {}=\"{}\"", name.substr(0, 32),
                        escape_param(tidy_text(value, kSyslogFieldBytesMax)));
  }
  return fmt::format(
      "<{}>1 {} {} vouch - {} {}] {}", kFacilityDaemon * 8 + priority, format_instant(alert.made),
      header_word(alert.sender.name, 255),
      header_word(told == nullptr ? to_string(alert.type) : told->condition.kind, 32), data,
      tidy_text(text, kSyslogTextBytesMax));
}

template <class Write>
std::vector<std::string> entries(const Alert& alert, const ChannelSpec& spec, Write write) {
  const Wording words = word(alert, spec);
  std::vector<std::string> out;
  if (alert.conditions.empty()) {
    for (const std::string& text : words.texts) out.push_back(write(alert, nullptr, kNotice, text));
  }
  for (std::size_t i = 0; i < alert.conditions.size(); ++i) {
    const ToldCondition& told = alert.conditions[i];
    out.push_back(write(alert, &told, priority_of(told), words.texts[i]));
  }
  return out;
}

}  // namespace

std::vector<std::string> journal_entries(const Alert& alert, const ChannelSpec& spec) {
  return entries(alert, spec, journal_entry);
}

std::vector<std::string> syslog_entries(const Alert& alert, const ChannelSpec& spec) {
  return entries(alert, spec, syslog_entry);
}

}  // namespace vouch::alerts
