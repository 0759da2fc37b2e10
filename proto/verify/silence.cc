// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/silence.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace vouch::verify {
namespace {

constexpr WallMs kMsPerSecond = 1000;
constexpr std::int64_t kLateSlackSeconds = 2;

// What is wrong with an overdue leaf by itself.
void check_overdue(const Noted<leaf::Overdue>& note, std::optional<WallMs> promised,
                   std::vector<std::string>& found) {
  if (promised && note.leaf.next_due != *promised) {
    found.push_back(
        fmt::format("overdue: leaf {} says that it was due {}, the bundle before says {}",
                    note.index, format_instant(note.leaf.next_due), format_instant(*promised)));
  } else if (note.at < note.leaf.next_due + note.leaf.grace_s * kMsPerSecond) {
    found.push_back(fmt::format("overdue: leaf {} came before its own grace was over", note.index));
  }
}

bool ends(const Noted<leaf::Recovered>& recovered, const Noted<leaf::Overdue>& overdue) {
  return static_cast<std::uint64_t>(recovered.leaf.overdue) == overdue.index &&
         recovered.place > overdue.place;
}

void check_recovered(const ArrivalNotes& notes, const Arrival& arrival, WallMs log_end,
                     std::vector<std::string>& found) {
  for (const auto& overdue : notes.overdue) {
    const auto recovered = std::ranges::find_if(
        notes.recovered, [&](const auto& note) { return ends(note, overdue); });
    if (recovered == notes.recovered.end()) {
      if (overdue.place > arrival.place || log_end <= arrival.at + kSilenceMsMax) continue;
      found.push_back(fmt::format("recovered: no leaf ends the overdue of leaf {}", overdue.index));
    } else if (recovered->place < arrival.place) {
      found.push_back(fmt::format("recovered: leaf {} came before the bundle", recovered->index));
    }
  }
  for (const auto& recovered : notes.recovered) {
    if (std::ranges::any_of(notes.overdue,
                            [&](const auto& note) { return ends(recovered, note); })) {
      continue;
    }
    found.push_back(fmt::format("recovered: leaf {} names leaf {}, which is no overdue before it",
                                recovered.index, recovered.leaf.overdue));
  }
}

void check_late(const ArrivalNotes& notes, const Arrival& arrival,
                std::vector<std::string>& found) {
  const auto under_way = (arrival.at - arrival.sealed) / kMsPerSecond;
  for (const auto& late : notes.late) {
    if (late.place > arrival.place && std::abs(late.leaf.late_s - under_way) <= kLateSlackSeconds) {
      continue;
    }
    found.push_back(fmt::format("late: leaf {} says {} s, sealed to received took {} s", late.index,
                                late.leaf.late_s, under_way));
  }
  if (notes.late.empty() && under_way * kMsPerSecond > kUnderWayMsMax) {
    found.push_back(fmt::format(
        "late: sealed to received took {} s, and the log holds no late leaf", under_way));
  }
}

}  // namespace

std::vector<std::string> check_arrival(const ArrivalNotes& notes, const Arrival& arrival,
                                       WallMs log_end) {
  std::vector<std::string> found;
  bool dated = false;
  for (const auto& overdue : notes.overdue) {
    if (overdue.place > arrival.place) {
      found.push_back(fmt::format("overdue: leaf {} came after the bundle", overdue.index));
      continue;
    }
    if (dated) found.push_back(fmt::format("overdue: leaf {} says it again", overdue.index));
    dated = true;
    check_overdue(overdue, arrival.promised, found);
  }
  // In a backlog that came in at once, only the first was silent.
  if (!dated && arrival.promised &&
      arrival.at > std::max(*arrival.promised, arrival.heard) + kSilenceMsMax) {
    found.push_back(fmt::format("silence: due {}, received {}, and the log holds no overdue leaf",
                                format_instant(*arrival.promised), format_instant(arrival.at)));
  }
  check_recovered(notes, arrival, log_end, found);
  check_late(notes, arrival, found);
  return found;
}

std::vector<std::string> check_absence(const ArrivalNotes& notes, std::optional<WallMs> promised,
                                       WallMs heard, WallMs log_end) {
  std::vector<std::string> found;
  for (const auto& overdue : notes.overdue) check_overdue(overdue, promised, found);
  for (const auto& recovered : notes.recovered) {
    found.push_back(fmt::format("recovered: leaf {} speaks of a bundle that is not in the log",
                                recovered.index));
  }
  for (const auto& late : notes.late) {
    found.push_back(
        fmt::format("late: leaf {} speaks of a bundle that is not in the log", late.index));
  }
  if (!promised || !notes.overdue.empty()) return found;
  if (log_end > std::max(*promised, heard) + kSilenceMsMax) {
    found.push_back(fmt::format("silence: due {}, the log goes on to {}, and holds no overdue leaf",
                                format_instant(*promised), format_instant(log_end)));
  }
  return found;
}

}  // namespace vouch::verify
