// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/ini_file.h"

#include <algorithm>

#include "collectors/facts/lines.h"

namespace vouch::rpm_packages {
namespace {

constexpr std::string_view kBlanks = " \t\r";

IniSection& section_of(IniFile& file, std::string_view name) {
  for (IniSection& section : file.sections) {
    if (section.name == name) return section;
  }
  return file.sections.emplace_back(IniSection{std::string(name), {}});
}

}  // namespace

const std::string* IniSection::find(std::string_view wanted) const {
  const auto found = values.find(wanted);
  return found == values.end() ? nullptr : &found->second;
}

const IniSection* IniFile::find(std::string_view name) const {
  for (const IniSection& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

IniFile parse_ini(std::string_view text) {
  IniFile file;
  std::string section;
  bool has_section = false;
  std::string name;  // Of the value that a line may go on with; empty: none.
  const auto take = [&](std::string_view line, int number) {
    const std::string_view words = facts::trim(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') return;
    if (kBlanks.find(line.front()) != kBlanks.npos && !name.empty()) {
      std::string& value = section_of(file, section).values[name];
      value.append(value.empty() ? "" : "\n").append(words);
      return;
    }
    name.clear();
    if (words.front() == '[') {
      const auto end = words.find(']');
      has_section = end != words.npos && end > 1;
      if (!has_section) return file.faults.push_back(number);
      section = words.substr(1, end - 1);
      section_of(file, section);
      return;
    }
    const auto equals = words.find('=');
    if (!has_section || equals == words.npos || equals == 0) return file.faults.push_back(number);
    name = facts::trim(words.substr(0, equals));
    section_of(file, section).values[name] = facts::trim(words.substr(equals + 1));
  };
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    take(line, number);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return file;
}

std::optional<bool> ini_boolean(std::string_view value) {
  const std::string word = facts::lower_case(value);
  for (const std::string_view yes : {"1", "yes", "true", "on"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"0", "no", "false", "off"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::vector<std::string> ini_list(std::string_view value) {
  std::vector<std::string> words;
  while (true) {
    const auto begin = value.find_first_not_of(", \t\r\n");
    if (begin == value.npos) return words;
    value.remove_prefix(begin);
    const auto word = value.substr(0, value.find_first_of(", \t\r\n"));
    words.emplace_back(word);
    value.remove_prefix(word.size());
  }
}

}  // namespace vouch::rpm_packages
