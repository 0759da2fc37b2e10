// SPDX-License-Identifier: Apache-2.0
// Tables for a terminal: columns as wide as needed, shrunk and wrapped to fit a given width, so
// that every command of every program prints alike. Colour only where the caller was told so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vouch {

// How the standard output wants to be written to.
struct TerminalStyle {
  std::size_t columns = 100;
  bool colour = false;
};

// Asks the terminal: width from TIOCGWINSZ (else COLUMNS, else 100); colour iff standard output is
// a terminal, TERM is not "dumb" and NO_COLOR is unset or empty (no-color.org).
TerminalStyle terminal_style();

enum class Colour { none, red, green, yellow, bold, dim };
std::string coloured(std::string_view text, Colour colour, const TerminalStyle& style);

// Control bytes and invalid UTF-8 would let a host's data drive the reader's terminal: each such
// byte is shown as \xHH, a line feed as \n.
std::string printable(std::string_view text);

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);
  // Cells beyond the header are dropped, missing ones are empty. Cells pass through printable().
  void add(std::vector<std::string> cells, Colour colour = Colour::none);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Lines ending in LF; no trailing blanks. Cells that do not fit are wrapped at blanks where
  // possible, in the widest columns first; nothing is cut off.
  [[nodiscard]] std::string render(const TerminalStyle& style) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Colour colour;
  };
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace vouch
