// SPDX-License-Identifier: Apache-2.0
// The configuration files of dnf, yum and zypper: sections with lines of the form NAME = VALUE.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::rpm_packages {

struct IniSection {
  std::string name;
  std::map<std::string, std::string, std::less<>> values;  // Of a name that stands twice the last.

  // The first of the names that is there.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

struct IniFile {
  std::vector<IniSection> sections;  // Sections of one name are one.
  std::vector<int> faults;           // Lines that are none of the format.

  [[nodiscard]] const IniSection* find(std::string_view name) const;
};

// A line that begins with white space goes on with the value above; `#` and `;` begin comments.
IniFile parse_ini(std::string_view text);

// "1", "yes", "true", "on" and their opposites, in any case; nothing for another word.
std::optional<bool> ini_boolean(std::string_view value);

// Words, separated by commas and white space.
std::vector<std::string> ini_list(std::string_view value);

}  // namespace vouch::rpm_packages
