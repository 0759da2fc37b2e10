// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/sudoers_scanner.h"

#include <algorithm>

namespace vouch::access {
namespace {

constexpr std::string_view kBlanks = " \t\r";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool ends_name(char c) {
  return c == '\0' || c == '\n' || is_blank(c) ||
         std::string_view("#>!=:,()\"").find(c) != std::string_view::npos;
}

}  // namespace

// The length of `\`, blanks, newline at the current place; 0 if there is none.
std::size_t SudoersScanner::continuation_length() const {
  if (current() != '\\') return 0;
  const std::size_t end = text_.find_first_not_of(kBlanks, at_ + 1);
  return end != std::string_view::npos && text_[end] == '\n' ? end + 1 - at_ : 0;
}

bool SudoersScanner::skip_continuation() {
  const std::size_t length = continuation_length();
  at_ += length;
  if (length != 0) ++line_;
  return length != 0;
}

void SudoersScanner::skip_blanks() {
  while (is_blank(current()) || skip_continuation()) {
    if (is_blank(current())) ++at_;
  }
}

// "#1000" and "#-1" are user ids; any other "#" starts a comment.
bool SudoersScanner::is_comment() const {
  if (current() != '#') return false;
  const char next = current(1) == '-' ? current(2) : current(1);
  return !is_digit(next);
}

bool SudoersScanner::at_line_end() {
  skip_blanks();
  return at_end() || current() == '\n' || is_comment();
}

bool SudoersScanner::at_include() {
  skip_blanks();
  if (current() != '@' && current() != '#') return false;
  std::string_view rest = text_.substr(at_ + 1);
  if (!rest.starts_with("include")) return false;
  rest.remove_prefix(rest.starts_with("includedir") ? 10 : 7);
  return !rest.empty() && is_blank(rest[0]);
}

void SudoersScanner::skip_line() {
  bool in_comment = false;
  while (!at_end() && current() != '\n') {
    in_comment = in_comment || is_comment();
    // A comment is not continued, whatever it ends with.
    if (in_comment || !skip_continuation()) ++at_;
  }
  if (!at_end()) {
    ++at_;
    ++line_;
  }
}

char SudoersScanner::peek() {
  skip_blanks();
  return current();
}

bool SudoersScanner::take(char c) {
  if (peek() != c || at_end()) return false;
  ++at_;
  return true;
}

bool SudoersScanner::take_negation() {
  bool negated = false;
  while (take('!')) negated = !negated;
  return negated;
}

bool SudoersScanner::is_ipv6_here() const {
  const std::size_t end =
      std::min(text_.find_first_not_of("0123456789abcdefABCDEF:./", at_), text_.size());
  const std::string_view run = text_.substr(at_, end - at_);
  return std::count(run.begin(), run.end(), ':') >= 2;
}

// Takes `\` off and keeps what follows it.
void SudoersScanner::append_escape(std::string& out) {
  ++at_;
  if (at_end() || current() == '\n') return;
  out += current();
  ++at_;
}

std::optional<std::string> SudoersScanner::quoted() {
  ++at_;
  std::string out;
  while (!at_end() && current() != '"') {
    if (skip_continuation()) continue;
    if (current() == '\n') return {};
    if (current() == '\\' && current(1) == '"') ++at_;
    out += current();
    ++at_;
  }
  if (at_end()) return {};
  ++at_;
  return out;
}

std::optional<std::string> SudoersScanner::word(Kind kind) {
  if (at_line_end()) return {};
  const bool is_ipv6 = kind == Kind::host && is_ipv6_here();
  std::string out;
  while (!at_end()) {
    const char c = current();
    const bool starts_id = c == '#' && (out.empty() || out == "%");
    const bool starts_external_group = c == ':' && out == "%";
    if (c == '"' && out.empty()) {
      auto text = quoted();
      if (!text || text->empty()) return {};
      return text;
    }
    if (c == '\\') {
      if (continuation_length() != 0) break;
      append_escape(out);
    } else if (!ends_name(c) || starts_id || starts_external_group || (is_ipv6 && c == ':')) {
      out += c;
      ++at_;
    } else {
      break;
    }
  }
  if (out.empty()) return {};
  return out;
}

// From "^" to the "$" that ends a word. Within it nothing is special but `\`.
std::optional<std::string> SudoersScanner::regex() {
  std::string out;
  while (!at_end() && current() != '\n') {
    const char c = current();
    out += c;
    ++at_;
    if (c == '\\' && !at_end() && current() != '\n') {
      out += current();
      ++at_;
    }
    const char next = current();
    if (c == '$' && (at_end() || next == '\n' || next == ',' || is_blank(next))) return out;
  }
  return {};
}

std::optional<std::string> SudoersScanner::command() {
  std::string out;
  bool wants_space = false;
  while (!at_end()) {
    if (is_blank(current()) || continuation_length() != 0) {
      skip_blanks();
      wants_space = !out.empty();
      continue;
    }
    const char c = current();
    // In arguments "#" is a comment, digits or not.
    if (c == '\n' || c == ',' || c == ':' || c == '#') break;
    if (wants_space) out += ' ';
    const bool starts_word = out.empty() || wants_space;
    wants_space = false;
    if (c == '^' && starts_word) {
      const auto expression = regex();
      if (!expression) return {};
      out += *expression;
    } else if (c == '\\') {
      // Of the escapes only those of sudoers' own characters go; fnmatch's stay.
      const bool is_own = std::string_view(":\\,= \t#").find(current(1)) != std::string_view::npos;
      if (!is_own) out += '\\';
      if (at_ + 1 >= text_.size()) return {};
      append_escape(out);
    } else {
      out += c;
      ++at_;
    }
  }
  if (out.empty()) return {};
  return out;
}

std::optional<std::string> SudoersScanner::value() {
  skip_blanks();
  if (current() == '"') return quoted();
  std::string out;
  while (!at_end() && current() != '\n' && current() != ',' && current() != '#' &&
         !is_blank(current()) && continuation_length() == 0) {
    if (current() == '\\') {
      append_escape(out);
    } else {
      out += current();
      ++at_;
    }
  }
  return out;
}

std::string SudoersScanner::digest() {
  skip_blanks();
  std::string out;
  while (is_digit(current()) || (current() >= 'a' && current() <= 'z') ||
         (current() >= 'A' && current() <= 'Z') || current() == '+' || current() == '/' ||
         current() == '=') {
    out += current();
    ++at_;
  }
  return out;
}

std::optional<std::string> SudoersScanner::path() {
  skip_blanks();
  if (current() == '"') return quoted();
  std::string out;
  while (!at_end() && current() != '\n' && !is_blank(current()) && continuation_length() == 0) {
    if (current() == '\\') {
      append_escape(out);
    } else {
      out += current();
      ++at_;
    }
  }
  if (out.empty()) return {};
  return out;
}

}  // namespace vouch::access
