// SPDX-License-Identifier: Apache-2.0
// Cuts the text of a configuration file into lines and words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::facts {

// Without blanks, tabs and carriage returns at both ends.
std::string_view trim(std::string_view text);

// Cuts the next line off the front of `text`, trimmed.
std::string_view take_line(std::string_view& text);
// Cuts the next word off the front of `line`; empty if there is none.
std::string_view take_word(std::string_view& line);
std::vector<std::string_view> words_of(std::string_view line);

// ASCII letters in lower case.
std::string lower_case(std::string_view text);
// The last component of a path.
std::string_view base_name(std::string_view path);

// Calls `take(line, number)` with each trimmed line that is neither empty nor a comment (`#`).
template <typename Take>
void each_line(std::string_view text, Take take) {
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (!line.empty() && line[0] != '#') take(line, number);
  }
}

}  // namespace vouch::facts
