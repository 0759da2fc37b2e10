// SPDX-License-Identifier: Apache-2.0
#include "core/text_table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/json.h"

namespace vouch {
namespace {

constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kColumnsMax = 400;
constexpr std::size_t kCellColumnsMin = 8;
constexpr std::string_view kGap = "  ";

// Bytes of the UTF-8 character at `text[i]`; `text` is valid UTF-8.
std::size_t character_bytes(std::string_view text, std::size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Characters, which is columns for all but wide scripts and combining marks.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Cuts a line of at most `columns` characters off the front, at a blank if there is one.
std::string_view next_line(std::string_view& rest, std::size_t columns) {
  std::size_t end = 0, blank = std::string_view::npos;
  for (std::size_t count = 0; end < rest.size() && count < columns; ++count) {
    if (rest[end] == ' ') blank = end;
    end += character_bytes(rest, end);
  }
  if (end >= rest.size()) {
    const auto line = rest;
    rest = {};
    return line;
  }
  if (rest[end] == ' ') blank = end;
  if (blank != std::string_view::npos && blank > 0) end = blank;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return line;
}

// Columns of the longest piece between blanks: below it, words are cut in two.
std::size_t word_of(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const auto blank = text.find(' ');
    longest = std::max(longest, width_of(text.substr(0, blank)));
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return longest;
}

// Takes columns from the widest cells until the sum fits: first from those that can be wrapped at
// blanks, so that names stay whole and can be copied, then from all; never below kCellColumnsMin.
void shrink_to_fit(std::vector<std::size_t>& widths, const std::vector<std::size_t>& words,
                   std::size_t columns) {
  const auto total = [&] {
    std::size_t sum = widths.empty() ? 0 : (widths.size() - 1) * kGap.size();
    for (const auto width : widths) sum += width;
    return sum;
  };
  while (total() > columns) {
    std::size_t* widest = nullptr;
    for (const bool only_wrappable : {true, false}) {
      for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool can =
            widths[i] > (only_wrappable ? std::max(words[i], kCellColumnsMin) : kCellColumnsMin);
        if (can && (!widest || widths[i] > *widest)) widest = &widths[i];
      }
      if (widest) break;
    }
    if (!widest) return;
    --*widest;
  }
}

void render_row(std::string& out, const std::vector<std::string>& cells,
                const std::vector<std::size_t>& widths, Colour colour, const TerminalStyle& style) {
  std::vector<std::string_view> rest(cells.begin(), cells.end());
  for (bool more = true; more;) {
    more = false;
    std::string line;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (i > 0) line += kGap;
      const auto piece = next_line(rest[i], widths[i]);
      line += piece;
      line.append(widths[i] - std::min(widths[i], width_of(piece)), ' ');
      more = more || !rest[i].empty();
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += coloured(line, colour, style);
    out += '\n';
  }
}

}  // namespace

TerminalStyle terminal_style() {
  TerminalStyle style;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.columns = size.ws_col;
  } else if (const char* columns = std::getenv("COLUMNS")) {
    style.columns = static_cast<std::size_t>(std::strtoul(columns, nullptr, 10));
  }
  style.columns = std::clamp(style.columns, kColumnsMin, kColumnsMax);
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  style.colour = isatty(STDOUT_FILENO) == 1 && !(no_colour && *no_colour) && term &&
                 std::string_view(term) != "dumb";
  return style;
}

std::string coloured(std::string_view text, Colour colour, const TerminalStyle& style) {
  if (!style.colour || colour == Colour::none || text.empty()) return std::string(text);
  const auto code = [&]() -> std::string_view {
    switch (colour) {
      case Colour::red:
        return "31";
      case Colour::green:
        return "32";
      case Colour::yellow:
        return "33";
      case Colour::bold:
        return "1";
      default:
        return "2";
    }
  }();
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string printable(std::string_view text) {
  const bool valid = json::is_valid_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // C1 controls are C2 80 to C2 9F in UTF-8; some terminals obey them as escape sequences.
    const bool c1 = valid && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && !valid)) {
      out += fmt::format("\\x{:02x}", c);
    } else if (c1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

TextTable::TextTable(std::vector<std::string> header) : header_(std::move(header)) {}

void TextTable::add(std::vector<std::string> cells, Colour colour) {
  cells.resize(header_.size());
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back({std::move(cells), colour});
}

std::string TextTable::render(const TerminalStyle& style) const {
  std::vector<std::size_t> widths, words;
  for (std::size_t i = 0; i < header_.size(); ++i) {
    std::size_t width = width_of(header_[i]), word = word_of(header_[i]);
    for (const auto& row : rows_) {
      width = std::max(width, width_of(row.cells[i]));
      word = std::max(word, word_of(row.cells[i]));
    }
    widths.push_back(std::max<std::size_t>(width, 1));
    words.push_back(word);
  }
  shrink_to_fit(widths, words, style.columns);
  std::string out;
  render_row(out, header_, widths, Colour::bold, style);
  for (const auto& row : rows_) render_row(out, row.cells, widths, row.colour, style);
  return out;
}

}  // namespace vouch
