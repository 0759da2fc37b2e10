// SPDX-License-Identifier: Apache-2.0
#include "core/version_compare.h"

#include <algorithm>
#include <cstddef>

namespace vouch {
namespace {

// Versions are bytes, whatever the locale says.
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int sign(int value) {
  return (value > 0) - (value < 0);
}

std::string_view cut(std::string_view& rest, bool (*belongs)(char)) {
  const auto* end = std::find_if_not(rest.begin(), rest.end(), belongs);
  const auto piece = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(piece.size());
  return piece;
}

// Numbers of any length: a build number may exceed every integer type.
int compare_digits(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return sign(a.compare(b));
}

struct Parts {
  std::string_view epoch;
  std::string_view version;
  std::string_view revision;
  bool has_revision = false;
};

Parts split(std::string_view text) {
  Parts parts;
  std::string_view rest = text;
  const auto digits = cut(rest, is_digit);
  if (!rest.empty() && rest.front() == ':') {
    parts.epoch = digits;
    rest.remove_prefix(1);
  } else {
    rest = text;
  }
  const auto dash = rest.rfind('-');
  parts.has_revision = dash != std::string_view::npos;
  parts.version = rest.substr(0, dash);
  if (parts.has_revision) parts.revision = rest.substr(dash + 1);
  return parts;
}

// `~` sorts before the end of the text, the end and digits before letters, letters before the rest.
int deb_weight(std::string_view rest) {
  if (rest.empty() || is_digit(rest.front())) return 0;
  if (is_letter(rest.front())) return rest.front();
  if (rest.front() == '~') return -1;
  return static_cast<unsigned char>(rest.front()) + 256;
}

int compare_deb_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      const int difference = deb_weight(a) - deb_weight(b);
      if (difference != 0) return sign(difference);
      if (!a.empty()) a.remove_prefix(1);
      if (!b.empty()) b.remove_prefix(1);
    }
    const int order = compare_digits(cut(a, is_digit), cut(b, is_digit));
    if (order != 0) return order;
  }
  return 0;
}

int compare_deb(std::string_view a, std::string_view b) {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const int order = compare_digits(left.epoch, right.epoch)) return order;
  if (const int order = compare_deb_part(left.version, right.version)) return order;
  return compare_deb_part(left.revision, right.revision);
}

void skip_separators(std::string_view& rest) {
  cut(rest, [](char c) { return !is_digit(c) && !is_letter(c) && c != '~' && c != '^'; });
}

// Both texts begin with a character other than `~` and `^`, or are empty; decides the next segment.
// Returns true when `order` is final.
bool compare_rpm_segment(std::string_view& a, std::string_view& b, int& order) {
  if (a.empty() || b.empty()) {
    order = static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
    return true;
  }
  const bool number = is_digit(a.front());
  const auto left = cut(a, number ? is_digit : is_letter);
  const auto right = cut(b, number ? is_digit : is_letter);
  if (right.empty()) {
    order = number ? 1 : -1;  // A number is newer than letters.
    return true;
  }
  order = number ? compare_digits(left, right) : sign(left.compare(right));
  return order != 0;
}

int compare_rpm_part(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  while (!a.empty() || !b.empty()) {
    skip_separators(a);
    skip_separators(b);
    const bool tilde_a = a.starts_with('~');
    const bool tilde_b = b.starts_with('~');
    const bool caret_a = a.starts_with('^');
    const bool caret_b = b.starts_with('^');
    if (tilde_a != tilde_b) return tilde_a ? -1 : 1;
    if (!tilde_a && caret_a != caret_b) {
      // `^` is newer than the end of the text, older than anything else.
      if (caret_a) return b.empty() ? 1 : -1;
      return a.empty() ? -1 : 1;
    }
    if (tilde_a || caret_a) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    int order = 0;
    if (compare_rpm_segment(a, b, order)) return order;
  }
  return 0;
}

int compare_rpm(std::string_view a, std::string_view b) {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const int order = compare_digits(left.epoch, right.epoch)) return order;
  if (const int order = compare_rpm_part(left.version, right.version)) return order;
  if (left.has_revision != right.has_revision) return left.has_revision ? 1 : -1;
  return compare_rpm_part(left.revision, right.revision);
}

}  // namespace

std::optional<VersionScheme> version_scheme(std::string_view name) {
  if (name == "deb") return VersionScheme::deb;
  if (name == "rpm") return VersionScheme::rpm;
  return std::nullopt;
}

int version_compare(VersionScheme scheme, std::string_view a, std::string_view b) {
  return scheme == VersionScheme::deb ? compare_deb(a, b) : compare_rpm(a, b);
}

}  // namespace vouch
