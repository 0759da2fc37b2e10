// SPDX-License-Identifier: Apache-2.0
#include "alerts/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "alerts/wording.h"
#include "core/encoding.h"

namespace vouch::alerts {
namespace {

constexpr std::size_t kWordBytesMax = 45;  // 60 characters of base64: a line of at most 76.
constexpr std::size_t kLineBytesMax = 57;  // 76 characters of base64.

// Letters, digits, dots and dashes of a text: what fits into a Message-ID.
std::string id_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out += plain || c == '-' || c == '.' ? c : '-';
  }
  return out;
}

std::string base64_lines(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kLineBytesMax))) {
    out += base64_encode(text.substr(0, kLineBytesMax)) + "\r\n";
  }
  return out;
}

std::string joined(const std::vector<std::string>& addresses) {
  std::string out;
  for (const std::string& address : addresses) out += (out.empty() ? "" : ",\r\n ") + address;
  return out;
}

}  // namespace

std::string mail_date(WallMs ms) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000",
                     kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                     kMonths.at(static_cast<std::size_t>(utc.tm_mon)), 1900 + utc.tm_year,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string mail_header_text(std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain && text.find("=?") == std::string_view::npos && text.size() <= 900) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(text.size(), kWordBytesMax);
    // A word ends between two characters.
    while (end > 1 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
      --end;
    }
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64_encode(text.substr(0, end)) +
           "?=";
    text.remove_prefix(end);
  }
  return out;
}

std::string mail_message(const Alert& alert, const ChannelSpec& spec, WallMs now) {
  const Wording words = word(alert, spec);
  std::string text;
  for (const std::string& each : words.texts) text += each + "\n\n";
  text += fmt::format("Alert {} of {} ({}), made {}. A copy, no evidence.\n", alert.n,
                      alert.sender.name, alert.sender.id, format_second(alert.made / 1000));
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  const auto domain = spec.from.substr(spec.from.find('@') + 1);
  return fmt::format(
      "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <vouch.{}.{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      spec.from, joined(spec.to), mail_header_text(words.subject), mail_date(now), alert.n,
      id_of(alert.sender.id), id_of(domain), base64_lines(crlf));
}

}  // namespace vouch::alerts
