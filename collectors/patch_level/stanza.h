// SPDX-License-Identifier: Apache-2.0
// Control files in deb822(5) form: the dpkg status file, package lists, Release files, .sources
// files, preferences. A text is a row of stanzas, a stanza a row of fields.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vouch::patch_level {

struct Field {
  std::string_view name;
  std::string_view value;  // Without surrounding white space; continuation lines keep their LF.
  std::size_t line = 0;    // From 1, in the whole text.
};

struct Stanza {
  std::vector<Field> fields;
  std::size_t line = 0;      // Of its first field.
  std::size_t bad_line = 0;  // The first line that is neither field nor continuation; 0: none.

  // The value of the first field of that name (names compare without regard to case); empty if
  // there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] const Field* find(std::string_view name) const;
};

// Lines that begin with `#` are comments where people write the file (sources, preferences), and
// part of the text where programs do.
enum class Comments { none, hash };

// Cuts the next stanza off the front of `rest`, skipping empty lines. False at the end of the text.
// `line` counts lines and starts at 1. CR before LF is taken as white space.
bool next_stanza(std::string_view& rest, std::size_t& line, Comments comments, Stanza& stanza);

// One field of one stanza without taking the stanza apart: for lists of many thousand stanzas.
// `name` in the exact case that archives use. Continuation lines are included.
std::string_view raw_field(std::string_view stanza, std::string_view name);

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
// Words between white space (spaces, tabs, line ends). Comment lines between continuation lines,
// which a value still holds, are left out.
std::vector<std::string_view> words(std::string_view text);

}  // namespace vouch::patch_level
