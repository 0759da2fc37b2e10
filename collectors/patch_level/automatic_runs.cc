// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/automatic_runs.h"

#include <array>
#include <utility>

#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kMessageBytesMax = 300;

// "2026-11-27 06:12:33,123 LEVEL message"
struct LogLine {
  std::string_view level;
  std::string_view message;
};

std::optional<LogLine> split(std::string_view line) {
  const auto comma = line.find(',');
  if (comma == line.npos) return std::nullopt;
  const auto level = line.find(' ', comma);
  if (level == line.npos) return std::nullopt;
  const auto rest = trim(line.substr(level));
  const auto end = rest.find(' ');
  if (end == rest.npos) return LogLine{rest, {}};
  return LogLine{rest.substr(0, end), trim(rest.substr(end))};
}

// The tool's words for a run that came to its end.
bool is_end(std::string_view message) {
  constexpr std::array<std::string_view, 3> kEnds = {
      "All upgrades installed", "No packages found that can be upgraded unattended",
      "Packages that were successfully auto-removed"};
  for (const auto end : kEnds) {
    if (message.starts_with(end)) return true;
  }
  return false;
}

void read_line(const LogLine& line, WallSeconds time, AutomaticRun& run) {
  constexpr std::string_view kPackages = "Packages that will be upgraded:";
  if (line.message.starts_with(kPackages)) {
    run.packages = static_cast<std::int64_t>(words(line.message.substr(kPackages.size())).size());
  }
  const bool is_error = line.level == "ERROR" || line.level == "CRITICAL";
  if (is_error && run.message.empty()) run.message = line.message.substr(0, kMessageBytesMax);
  if (is_error) {
    run.result = "failed";
    run.ended = time;
  } else if (is_end(line.message)) {
    if (run.result != "failed") run.result = "ok";
    run.ended = time;
  }
}

}  // namespace

std::vector<AutomaticRun> parse_unattended_log(std::string_view text, const LocalTime& zone,
                                               WallSeconds since) {
  std::vector<AutomaticRun> runs;
  bool is_inside = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto whole = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto time = zone.parse(whole);
    const auto line = time ? split(whole) : std::nullopt;
    if (!line) continue;  // A traceback's lines.
    if (line->message.starts_with("Starting unattended upgrades script")) {
      is_inside = *time >= since;
      if (is_inside) runs.push_back({*time, {}, "incomplete", 0, {}});
    } else if (is_inside) {
      read_line(*line, *time, runs.back());
    }
  }
  return runs;
}

}  // namespace vouch::patch_level
