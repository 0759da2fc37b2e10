// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/stanza.h"

#include <algorithm>

namespace vouch::patch_level {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view cut_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

// Extends `value`, a view into the same text, to the end of `line`.
std::string_view joined(std::string_view value, std::string_view line) {
  return {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return text.substr(text.size());
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  for (std::size_t at = 0; (at = text.find_first_not_of(kWhiteSpace, at)) != text.npos;) {
    // Continuation lines begin with white space; what does not was a comment between them.
    if (text[at] == '#' && at > 0 && text[at - 1] == '\n') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    const auto end = std::min(text.find_first_of(kWhiteSpace, at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

const Field* Stanza::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (equal_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view Stanza::get(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? std::string_view() : field->value;
}

bool next_stanza(std::string_view& rest, std::size_t& line, Comments comments, Stanza& stanza) {
  stanza = {};
  bool begun = false;
  while (!rest.empty()) {
    const std::size_t number = line++;
    const auto text = cut_line(rest);
    if (comments == Comments::hash && text.starts_with('#')) continue;
    const auto trimmed = trim(text);
    if (trimmed.empty()) {
      if (begun) break;
      continue;
    }
    if (!begun) stanza.line = number;
    begun = true;
    if (text.front() == ' ' || text.front() == '\t') {
      if (!stanza.fields.empty()) {
        auto& value = stanza.fields.back().value;
        value = joined(value, text.substr(0, text.find_last_not_of(kWhiteSpace) + 1));
        continue;
      }
    } else if (const auto colon = text.find(':'); colon != 0 && colon != std::string_view::npos) {
      stanza.fields.push_back({trim(text.substr(0, colon)), trim(text.substr(colon + 1)), number});
      continue;
    }
    if (stanza.bad_line == 0) stanza.bad_line = number;
  }
  return begun;
}

std::string_view raw_field(std::string_view stanza, std::string_view name) {
  for (auto rest = stanza; !rest.empty();) {
    auto line = cut_line(rest);
    if (line.size() <= name.size() || line[name.size()] != ':' || !line.starts_with(name)) continue;
    auto value = line.substr(name.size() + 1);
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
      value = joined(value, cut_line(rest));
    }
    return trim(value);
  }
  return {};
}

}  // namespace vouch::patch_level
