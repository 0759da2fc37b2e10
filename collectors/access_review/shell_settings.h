// SPDX-License-Identifier: Apache-2.0
// What the start files of shells set for everybody: TMOUT and umask, and csh's autologout. The text
// is read, no shell is run: what an `if` decides is said to be conditional.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::access {

struct ShellSetting {
  int line = 0;
  std::string name;          // "TMOUT", "umask", "autologout".
  std::string value;         // As written, quotes off; "unset"; empty where only a mark is set.
  bool readonly = false;     // The line marks it so.
  bool exported = false;     // The line does.
  bool conditional = false;  // In an `if`, `case`, loop or function, or behind && or ||.
};

// In the order of the file. Here-documents and what `eval` makes are not followed.
std::vector<ShellSetting> parse_shell_settings(std::string_view text);

}  // namespace vouch::access
