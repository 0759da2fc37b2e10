// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/logrotate.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

using facts::take_line;
using facts::take_word;

template <std::size_t size>
bool is_one_of(std::string_view name, const std::array<std::string_view, size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

void apply(std::string_view line, RotationDefaults& now) {
  static constexpr std::array<std::string_view, 5> kPeriods{"hourly", "daily", "weekly", "monthly",
                                                            "yearly"};
  const std::string_view name = take_word(line);
  std::string_view value = take_word(line);
  if (value == "=") value = take_word(line);
  if (is_one_of(name, kPeriods)) {
    now.period = name;
    now.size.reset();
  } else if (name == "rotate") {
    if (const auto count = number_of(value)) now.rotate = *count;
  } else if (name == "maxage") {
    if (const auto days = number_of(value)) now.max_age_days = *days;
  } else if (name == "size") {
    now.period = "size";
    now.size = value;
  }
}

// "…endscript": what stands between is a shell's.
bool begins_script(std::string_view line) {
  static constexpr std::array<std::string_view, 5> kScripts{
      "postrotate", "prerotate", "firstaction", "lastaction", "preremove"};
  return is_one_of(take_word(line), kScripts);
}

// Paths of a block, in quotes or not, separated by blanks.
std::vector<std::string> paths_of(std::string_view line) {
  std::vector<std::string> paths;
  while (true) {
    const std::size_t start = line.find_first_not_of(" \t\r,");
    if (start == std::string_view::npos) return paths;
    line.remove_prefix(start);
    const bool is_quoted = line[0] == '"' || line[0] == '\'';
    const std::size_t end =
        is_quoted ? line.find(line[0], 1) : std::min(line.find_first_of(" \t\r"), line.size());
    const std::size_t stop = std::min(end, line.size());
    const std::size_t from = is_quoted ? 1 : 0;
    if (stop > from) paths.emplace_back(line.substr(from, stop - from));
    line.remove_prefix(std::min(line.size(), stop + from));
  }
}

class Parser {
 public:
  Parser(std::string_view source, RotationDefaults& defaults)
      : source_(source), defaults_(defaults) {}

  LogrotateFile parse(std::string_view text) {
    int number = 0;
    while (!text.empty()) {
      ++number;
      take(take_line(text), number);
    }
    if (in_block_ || !pending_.empty()) out_.faults.push_back(number);
    return std::move(out_);
  }

 private:
  void take(std::string_view line, int number) {
    if (in_script_) {
      in_script_ = line != "endscript";
      return;
    }
    if (line.empty() || line[0] == '#') return;
    if (in_block_) return take_inside(line);
    const std::size_t brace = line.find('{');
    const bool is_path = line[0] == '/' || line[0] == '"' || line[0] == '\'' || line[0] == '~';
    if (is_path) {
      for (std::string& path : paths_of(line.substr(0, brace))) pending_.push_back(std::move(path));
    }
    if (brace != std::string_view::npos) {
      if (pending_.empty()) out_.faults.push_back(number);
      in_block_ = true;
      current_ = defaults_;
      const std::string_view rest = facts::trim(line.substr(brace + 1));
      if (!rest.empty()) take_inside(rest);
      return;
    }
    if (is_path) return;
    std::string_view words = line;
    if (take_word(words) == "include") {
      out_.includes.emplace_back(take_word(words));
    } else {
      apply(line, defaults_);
    }
  }

  void take_inside(std::string_view line) {
    const bool ends = line.ends_with('}');
    if (ends) line = facts::trim(line.substr(0, line.size() - 1));
    if (!line.empty() && begins_script(line)) {
      in_script_ = true;
    } else if (!line.empty()) {
      apply(line, current_);
    }
    if (!ends) return;
    for (std::string& path : pending_) {
      out_.rotations.push_back({std::move(path), std::string(source_), current_.period,
                                current_.rotate, current_.max_age_days, current_.size});
    }
    pending_.clear();
    in_block_ = false;
  }

  std::string_view source_;
  RotationDefaults& defaults_;
  RotationDefaults current_;
  std::vector<std::string> pending_;  // Paths of the block that begins.
  LogrotateFile out_;
  bool in_block_ = false;
  bool in_script_ = false;
};

}  // namespace

LogrotateFile parse_logrotate(std::string_view text, std::string_view source,
                              RotationDefaults& defaults) {
  return Parser(source, defaults).parse(text);
}

}  // namespace vouch::drift
