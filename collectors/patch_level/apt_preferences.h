// SPDX-License-Identifier: Apache-2.0
// Pins, apt_preferences(5), and what they match.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/release.h"

namespace vouch::patch_level {

struct Pin {
  enum class Kind { version, release, origin };
  std::vector<std::string> packages;  // Names, globs, /regular expressions/; empty: all ("*").
  Kind kind = Kind::release;
  std::string data;  // What stands after the kind.
  int priority = 0;
  std::string file = {};  // Where it stands; set by who read the file.
};

// `Pin-Priority: never`.
inline constexpr int kPriorityNever = -32768;

struct Preferences {
  std::vector<Pin> pins;              // In file order.
  std::vector<std::string> problems;  // "line N: …": apt refuses the file, or ignores the entry.
};

Preferences parse_preferences(std::string_view text);

// A package list with what its Release file says, or the dpkg status file.
struct ListOrigin {
  Release release;
  std::string component;
  std::string architecture;
  std::string site;
  bool is_status = false;
};

// The origin that apt gives the status file: archive "now".
ListOrigin status_origin();

// True if the pin's release or origin expression matches the list. Version pins match none.
bool matches(const Pin& pin, const ListOrigin& list);
// True if the version pin matches the version ("5.20*", a glob, a /regular expression/).
bool matches_version(const Pin& pin, std::string_view version);
// True if the pin is for the package: by name, name:arch, src:name, glob or /regular expression/.
bool names_package(const Pin& pin, std::string_view name, std::string_view arch,
                   std::string_view native, std::string_view source);
// apt's matching of one word: /regular expression/ or glob, without regard to case.
bool expression_matches(std::string_view pattern, std::string_view text);

}  // namespace vouch::patch_level
