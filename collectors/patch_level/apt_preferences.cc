// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_preferences.h"

#include <fnmatch.h>
#include <regex.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kPatternBytesMax = 1000;

// POSIX extended regular expressions, as apt has them.
bool regex_matches(const std::string& pattern, const std::string& text) {
  regex_t compiled;
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) return false;
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

std::optional<int> parse_priority(std::string_view text) {
  if (equal_ignoring_case(text, "never")) return kPriorityNever;
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < -32767 || value > 32767 || value == 0) return std::nullopt;
  return value;
}

// What is wrong with the stanza; empty if `pin` is filled.
std::string_view parse_pin(const Stanza& stanza, Pin& pin) {
  if (stanza.bad_line != 0) return "a line that is no field";
  const auto names = stanza.get("Package");
  if (names.empty()) return "Package is missing";
  const auto value = stanza.get("Pin");
  const auto kind = value.substr(0, value.find_first_of(" \t\n"));
  pin.data = trim(value.substr(kind.size()));
  if (equal_ignoring_case(kind, "version")) {
    pin.kind = Pin::Kind::version;
  } else if (equal_ignoring_case(kind, "release")) {
    pin.kind = Pin::Kind::release;
  } else if (equal_ignoring_case(kind, "origin")) {
    pin.kind = Pin::Kind::origin;
  } else {
    return "Pin is neither version, release nor origin";
  }
  if (names != "*") {
    for (const auto name : words(names)) pin.packages.emplace_back(name);
  }
  if (names == "*" && pin.kind == Pin::Kind::version) return "a version for all packages";
  const auto priority = parse_priority(stanza.get("Pin-Priority"));
  if (!priority) return "Pin-Priority is no number other than 0";
  if (*priority == kPriorityNever && names != "*") return "never is for all packages only";
  pin.priority = *priority;
  return {};
}

bool release_part_matches(char letter, std::string_view wanted, const ListOrigin& list) {
  const auto fits = [&](std::string_view value) {
    return !value.empty() && expression_matches(wanted, value);
  };
  switch (letter) {
    case 'a':
      return fits(list.release.suite);
    case 'n':
      return fits(list.release.codename);
    case 'v':
      return fits(list.release.version);
    case 'o':
      return fits(list.release.origin);
    case 'l':
      return fits(list.release.label);
    case 'c':
      return fits(list.component);
    case 'b':
      return fits(list.architecture);
    default:
      return true;
  }
}

bool release_matches(std::string_view data, const ListOrigin& list) {
  if (data == "*") return true;
  if (data.empty()) return false;
  if (data.find('=') == data.npos) {
    if (data.front() >= '0' && data.front() <= '9') return release_part_matches('v', data, list);
    return release_part_matches('a', data, list) || release_part_matches('n', data, list);
  }
  bool has_condition = false;
  while (!data.empty()) {
    const auto end = data.find(',');
    const auto part = trim(data.substr(0, end));
    data.remove_prefix(end == data.npos ? data.size() : end + 1);
    if (part.size() < 3 || part[1] != '=') continue;
    has_condition = true;
    if (!release_part_matches(part[0], part.substr(2), list)) return false;
  }
  return has_condition;
}

bool is_pattern(std::string_view name) {
  return name.starts_with('/') || name.find_first_of("*[?") != name.npos;
}

}  // namespace

Preferences parse_preferences(std::string_view text) {
  Preferences result;
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, Comments::hash, stanza)) {
    // An entry of explanations only says nothing.
    if (std::all_of(stanza.fields.begin(), stanza.fields.end(), [](const Field& field) {
          return equal_ignoring_case(field.name, "Explanation");
        })) {
      continue;
    }
    Pin pin;
    if (const auto problem = parse_pin(stanza, pin); !problem.empty()) {
      result.problems.push_back("line " + std::to_string(stanza.line) + ": " +
                                std::string(problem));
    } else {
      result.pins.push_back(std::move(pin));
    }
  }
  return result;
}

ListOrigin status_origin() {
  ListOrigin origin;
  origin.release.suite = "now";
  origin.is_status = true;
  return origin;
}

bool expression_matches(std::string_view pattern, std::string_view text) {
  if (pattern.size() > kPatternBytesMax) return false;
  if (pattern.size() > 2 && pattern.starts_with('/') && pattern.ends_with('/')) {
    return regex_matches(std::string(pattern.substr(1, pattern.size() - 2)), std::string(text));
  }
  return fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), FNM_CASEFOLD) == 0;
}

bool matches(const Pin& pin, const ListOrigin& list) {
  if (pin.kind == Pin::Kind::release) return release_matches(pin.data, list);
  if (pin.kind != Pin::Kind::origin) return false;
  std::string_view site = pin.data;
  if (site.size() >= 2 && site.starts_with('"') && site.ends_with('"')) {
    site = site.substr(1, site.size() - 2);
  }
  if (site.empty()) return list.site.empty() && !list.is_status;
  return !list.site.empty() && expression_matches(site, list.site);
}

bool matches_version(const Pin& pin, std::string_view version) {
  if (pin.kind != Pin::Kind::version) return false;
  const std::string_view wanted = pin.data;
  if (wanted.ends_with('*')) {
    const auto prefix = wanted.substr(0, wanted.size() - 1);
    if (equal_ignoring_case(version.substr(0, prefix.size()), prefix)) return true;
  }
  return equal_ignoring_case(version, wanted) || expression_matches(wanted, version);
}

bool names_package(const Pin& pin, std::string_view name, std::string_view arch,
                   std::string_view native, std::string_view source) {
  for (std::string_view pattern : pin.packages) {
    const bool is_source = pattern.starts_with("src:");
    if (is_source) pattern.remove_prefix(4);
    const std::string_view wanted_name = is_source ? source : name;
    std::string_view wanted_arch = is_source ? "any" : native;
    // A regular expression may hold colons of its own.
    if (const auto colon = pattern.rfind(':'); colon != pattern.npos && !pattern.ends_with('/')) {
      wanted_arch = pattern.substr(colon + 1);
      pattern = pattern.substr(0, colon);
    }
    if (wanted_arch == "native") wanted_arch = native;
    if (wanted_arch != "any" && wanted_arch != arch) continue;
    if (is_pattern(pattern) ? expression_matches(pattern, wanted_name) : pattern == wanted_name) {
      return true;
    }
  }
  return false;
}

}  // namespace vouch::patch_level
