// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/access_rules.h"

#include <algorithm>
#include <set>

#include "collectors/facts/lines.h"

namespace vouch::access {
namespace {

constexpr std::size_t kActionsMax = 100;  // Of one file.

std::string one_spaced(std::string_view text) {
  std::string out;
  for (const std::string_view word : facts::words_of(text)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// A reverse domain name with a verb behind it: "org.freedesktop.login1.reboot".
bool is_action(std::string_view word) {
  if (std::count(word.begin(), word.end(), '.') < 2) return false;
  for (const std::string_view top : {"org.", "com.", "net.", "io.", "de.", "eu."}) {
    if (word.starts_with(top)) return true;
  }
  return false;
}

}  // namespace

Parsed<AccessRule> parse_access_conf(std::string_view text) {
  Parsed<AccessRule> parsed;
  facts::each_line(text, [&](std::string_view line, int number) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    const std::string_view permission = facts::trim(line.substr(0, first));
    if (second == std::string_view::npos || (permission != "+" && permission != "-")) {
      parsed.faults.push_back({number, "is no rule of three fields"});
      return;
    }
    AccessRule rule;
    rule.line = number;
    rule.grants = permission == "+";
    rule.users = one_spaced(line.substr(first + 1, second - first - 1));
    rule.origins = one_spaced(line.substr(second + 1));
    parsed.entries.push_back(std::move(rule));
  });
  return parsed;
}

PolkitText read_polkit_text(std::string_view text) {
  PolkitText found;
  std::set<std::string> actions;
  for (std::size_t at = 0; at < text.size() && actions.size() < kActionsMax;) {
    std::size_t end = at;
    while (end < text.size() && is_id_character(text[end])) ++end;
    std::string_view word = text.substr(at, end - at);
    while (word.ends_with('.')) word.remove_suffix(1);
    if (is_action(word)) actions.emplace(word);
    at = end + 1;
  }
  found.actions.assign(actions.begin(), actions.end());
  const std::string lower = facts::lower_case(text);
  for (const std::string_view mark :
       {"result.yes", "resultany=yes", "resultinactive=yes", "resultactive=yes"}) {
    found.grants = found.grants || lower.find(mark) != std::string::npos;
  }
  return found;
}

}  // namespace vouch::access
