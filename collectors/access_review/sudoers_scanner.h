// SPDX-License-Identifier: Apache-2.0
// The lexical rules of sudoers(5), as sudo 1.9's toke.l has them: continuation lines, comments that
// are not user ids, quoting and escapes that differ between names and commands.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vouch::access {

class SudoersScanner {
 public:
  explicit SudoersScanner(std::string_view text) : text_(text) {}

  [[nodiscard]] int line() const { return line_; }  // From 1.
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  // True at the end of a logical line: blanks, continuations and a comment are skipped first.
  bool at_line_end();
  // Steps over the rest of the logical line, whatever it holds, and its newline.
  void skip_line();

  // True before "@include", "#include" and their "dir" forms: the one "#word" that is no comment.
  bool at_include();
  // True if `c` is next, without blanks before it.
  [[nodiscard]] bool is_next(char c) const { return current() == c; }
  // Skips blanks and continuations, then takes `c` if it is next.
  bool take(char c);
  // The next character after blanks and continuations, or NUL at the end.
  char peek();
  // Takes any number of "!"; true if their count is odd.
  bool take_negation();

  // A name: user, group, host, alias, option. Escapes and quotes are taken off. nullopt: none here,
  // or an unfinished quote. A host may be an IPv6 address, whose colons belong to it.
  enum class Kind { name, host };
  std::optional<std::string> word(Kind kind = Kind::name);
  // A path with its arguments, up to an unescaped "," ":" or the end; a regular expression up to
  // its "$". White space between the arguments becomes one space.
  std::optional<std::string> command();
  // Value of a Defaults option: a quoted string, or up to "," or white space.
  std::optional<std::string> value();
  // The rest of the logical line without comment: the path of an include. Quotes are taken off.
  std::optional<std::string> path();

  // The digits of a digest, in hex or base64; empty if there are none.
  std::string digest();

  // For "is this word a tag?": where we are, and back to there.
  struct Mark {
    std::size_t at;
    int line;
  };
  [[nodiscard]] Mark mark() const { return {at_, line_}; }
  void reset(Mark mark) {
    at_ = mark.at;
    line_ = mark.line;
  }

 private:
  [[nodiscard]] char current(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] std::size_t continuation_length() const;
  bool skip_continuation();
  void skip_blanks();
  [[nodiscard]] bool is_comment() const;
  [[nodiscard]] bool is_ipv6_here() const;
  std::optional<std::string> quoted();
  std::optional<std::string> regex();
  void append_escape(std::string& out);

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace vouch::access
