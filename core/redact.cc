// SPDX-License-Identifier: Apache-2.0
#include "core/redact.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace vouch {
namespace {

using std::string_view;

// How deep a command inside the quotes of a command is followed: sh -c "sh -c '…'".
constexpr int kNestingMax = 4;
constexpr int kPassesMax = 8;

re2::StringPiece piece(string_view text) {
  return {text.data(), text.size()};
}

const RE2& whole_cell_pattern() {
  static const RE2 pattern(
      R"(-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{36}|xox[abprs]-)"
      R"(|eyJ[A-Za-z0-9_-]+\.eyJ|\$(?:1|2[aby]|5|6|7|y|gy)\$[^ :]+\$)",
      RE2::Latin1);  // A cell may hold any bytes.
  return pattern;
}

// The names of options and variables whose values go.
bool names_secret(string_view name) {
  static const RE2 pattern(R"((?i)pass|pwd|secret|token|api.?key|auth|cred|private.?key)",
                           RE2::Latin1);
  return RE2::PartialMatch(piece(name), pattern);
}

bool is_variable_name(string_view name) {
  static const RE2 pattern(R"([A-Za-z_][A-Za-z0-9_]*)", RE2::Latin1);
  return RE2::FullMatch(piece(name), pattern);
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_quote(char c) {
  return c == '\'' || c == '"';
}
bool ends_command(char c) {
  return c == ';' || c == '|' || c == '&' || c == '(' || c == ')' || c == '`' || c == '\n';
}

// --- URLs ---------------------------------------------------------------------------------------

// Where the user information of an authority ends (the position of its "@"), or npos.
std::size_t find_userinfo_end(string_view rest) {
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  if (at != string_view::npos || authority.empty() || authority[0] == '[') return at;
  // A password with a raw "/", "?" or "#" in it ends the authority early, at something that is no
  // port. Then everything up to the last "@" is taken for the user information.
  const auto colon = authority.find(':');
  if (colon == string_view::npos) return string_view::npos;
  const auto port = authority.substr(colon + 1);
  const bool is_port = port.find_first_not_of("0123456789") == string_view::npos;
  return is_port && !port.empty() ? string_view::npos : rest.rfind('@');
}

// "?a=1&b" becomes "?a=[redacted]&[redacted]": a value without a name may be the secret itself.
void append_query(std::string& out, string_view query) {
  for (;;) {
    const auto end = query.find_first_of("&;");
    const auto item = query.substr(0, end);
    const auto equals = item.find('=');
    if (equals != string_view::npos) out += item.substr(0, equals + 1);
    if (!item.empty()) out += kRedacted;
    if (end == string_view::npos) return;
    out += query[end];
    query.remove_prefix(end + 1);
  }
}

void append_query_and_fragment(std::string& out, string_view text) {
  const auto hash = text.find('#');
  const auto before = text.substr(0, hash);
  const auto question = before.find('?');
  if (question == string_view::npos) {
    out += before;
  } else {
    out += before.substr(0, question + 1);
    append_query(out, before.substr(question + 1));
  }
  if (hash == string_view::npos) return;
  out += '#';
  if (hash + 1 < text.size()) out += kRedacted;
}

// One URL, or several glued together, without white space.
std::string redact_url(string_view text) {
  constexpr string_view kMark = "://";
  std::string out;
  for (;;) {
    const auto mark = text.find(kMark);
    const auto cut = text.find_first_of("?#");
    if (mark == string_view::npos || cut < mark) break;
    out += text.substr(0, mark + kMark.size());
    text.remove_prefix(mark + kMark.size());
    const auto at = find_userinfo_end(text);
    if (at == string_view::npos) continue;
    out += kRedacted;
    text.remove_prefix(at);
  }
  append_query_and_fragment(out, text);
  return out;
}

// Every URL inside running text: from its scheme to white space or a quote.
std::string redact_urls_within(string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find_first_of(" \t\r\n'\"`<>");
    const auto word = text.substr(0, end);
    out += word.find("://") == string_view::npos ? std::string(word) : redact_url(word);
    if (end == string_view::npos) break;
    out += text[end];
    text.remove_prefix(end + 1);
  }
  return out;
}

// --- Words of a command -------------------------------------------------------------------------

// The position after the quote that closes the one at `start`; npos if nothing closes it.
std::size_t skip_quoted(string_view text, std::size_t start) {
  for (auto i = start + 1; i < text.size(); ++i) {
    if (text[i] == text[start] && (text[start] == '\'' || text[i - 1] != '\\')) return i + 1;
  }
  return string_view::npos;
}

// The position after the word that starts at `start`. Quotes keep white space inside, as does a
// backslash; a quote that nothing closes is a character like others.
std::size_t skip_word(string_view text, std::size_t start) {
  auto i = start;
  while (i < text.size()) {
    const bool escaped = i > start && text[i - 1] == '\\';
    if (is_quote(text[i]) && !escaped) {
      const auto after = skip_quoted(text, i);
      i = after == string_view::npos ? i + 1 : after;
    } else if (!escaped && (is_space(text[i]) || ends_command(text[i]))) {
      break;
    } else {
      ++i;
    }
  }
  return i;
}

std::string redact_words(string_view text, int nesting);

// What the words before say about the next one.
struct WordState {
  bool leading = true;      // Still among the NAME=VALUE words in front of a program's name.
  bool value_next = false;  // The word before is an option whose value this word is.
};

// Words that only lead to the program that really runs.
bool is_prefix_program(string_view word) {
  return word == "env" || word == "export" || word == "sudo" || word == "exec" || word == "nohup";
}

std::string without_quotes(string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_quote(c)) out += c;
  }
  return out;
}

// What stands in quotes inside a word may be a command of its own: --run="mail --password x".
std::string redact_quoted_parts(string_view word, int nesting) {
  std::string out;
  for (std::size_t i = 0; i < word.size();) {
    const auto after = is_quote(word[i]) ? skip_quoted(word, i) : string_view::npos;
    if (after == string_view::npos) {
      out += word[i++];
      continue;
    }
    out += word[i] + redact_words(word.substr(i + 1, after - i - 2), nesting + 1) + word[i];
    i = after;
  }
  return out;
}

// The word with its value redacted if it is "NAME=VALUE" in front of a program, an option, an
// assignment or a header ("Authorization: …") with a name that stands for a secret.
std::optional<std::string> redact_named_value(string_view word, WordState& state) {
  const auto separator = word.find_first_of("=:");
  // Quotes go from the name too: one that loses its partner would change how the rest is read.
  const std::string name = without_quotes(word.substr(0, separator));
  const bool has_value = separator != string_view::npos;
  const bool assigns = has_value && word[separator] == '=';
  if (state.leading && assigns && is_variable_name(name)) {
    return name + "=" + std::string(kRedacted);
  }
  state.leading = state.leading && is_prefix_program(word);

  const bool is_option = !name.empty() && name[0] == '-';
  const bool is_header = has_value && !assigns && word.find(' ', separator) != string_view::npos;
  if (!is_option && !assigns && !is_header) return std::nullopt;
  if (name.find_first_of(" \t\r\n") != string_view::npos || !names_secret(name)) {
    return std::nullopt;
  }
  state.value_next = !has_value;
  return has_value ? name + word[separator] + std::string(kRedacted) : std::string(word);
}

std::string redact_word(string_view word, WordState& state, int nesting) {
  const bool is_value = std::exchange(state.value_next, false);
  if (is_value && (word == "=" || word == ":")) {
    state.value_next = true;
    return std::string(word);
  }
  const bool quoted = word.size() >= 2 && is_quote(word[0]) && skip_quoted(word, 0) == word.size();
  const auto inner = quoted ? word.substr(1, word.size() - 2) : word;
  auto redacted = redact_named_value(inner, state);
  if (is_value) return std::string(kRedacted);
  if (redacted) return quoted ? word[0] + *redacted + word[0] : *redacted;
  return nesting < kNestingMax ? redact_quoted_parts(word, nesting) : std::string(word);
}

std::string redact_words(string_view text, int nesting) {
  std::string out;
  WordState state;
  for (std::size_t i = 0; i < text.size();) {
    if (is_space(text[i]) || ends_command(text[i])) {
      if (ends_command(text[i])) state.leading = true;
      out += text[i++];
      continue;
    }
    const auto end = skip_word(text, i);
    out += redact_word(text.substr(i, end - i), state, nesting);
    i = end;
  }
  return out;
}

// --- Environments -------------------------------------------------------------------------------

// One line of an environment file, or the words of Environment=. If a word is no assignment, the
// whole line is one value and only the first name stays.
std::string redact_environment_line(string_view line) {
  std::string all;
  std::string first;
  bool only_assignments = true;
  for (std::size_t i = 0; i < line.size();) {
    if (is_space(line[i])) {
      all += line[i++];
      continue;
    }
    const auto end = std::max(skip_word(line, i), i + 1);
    auto word = line.substr(i, end - i);
    if (word.size() >= 2 && is_quote(word[0])) word.remove_prefix(1);
    const auto name = word.substr(0, word.find('='));
    const bool assigns = name.size() < word.size() && is_variable_name(name);
    if (assigns) all += std::string(name) + "=" + std::string(kRedacted);
    if (assigns && first.empty() && only_assignments) first = std::string(name) + "=";
    only_assignments = only_assignments && assigns;
    i = end;
  }
  return only_assignments ? all : first + std::string(kRedacted);
}

std::string redact_environment(string_view text) {
  std::string out;
  for (;;) {
    const auto end = text.find('\n');
    out += redact_environment_line(text.substr(0, end));
    if (end == string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string redact_once(Redaction rule, string_view cell) {
  switch (rule) {
    case Redaction::url:
      return redact_url(cell);
    case Redaction::command:
      return redact_words(redact_urls_within(cell), 0);
    case Redaction::environment:
      return redact_environment(cell);
    case Redaction::none:
      break;
  }
  return std::string(cell);
}

}  // namespace

bool holds_secret(string_view cell) {
  return RE2::PartialMatch(piece(cell), whole_cell_pattern());
}

std::string redact(Redaction rule, string_view cell) {
  if (rule == Redaction::none) return std::string(holds_secret(cell) ? kRedacted : cell);
  // Taking something out can change how the rest reads. Twice must be the same as once, so the rule
  // is applied until nothing changes; a cell that never settles goes as a whole.
  std::string out(cell);
  for (int i = 0; i < kPassesMax && !holds_secret(out); ++i) {
    std::string next = redact_once(rule, out);
    if (next == out) return out;
    out = std::move(next);
  }
  return std::string(kRedacted);
}

}  // namespace vouch
