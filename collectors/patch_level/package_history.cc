// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/package_history.h"

#include <algorithm>
#include <utility>

#include "collectors/patch_level/stanza.h"
#include "core/version_compare.h"

namespace vouch::patch_level {
namespace {

// An apt run that did not end: dpkg may have worked on for this long.
constexpr WallSeconds kUnendedS = 3600;

std::string_view cut_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

std::string version_of(std::string_view word) {
  return word == "<none>" ? std::string() : std::string(word);
}

// "DATE TIME ACTION NAME:ARCH OLD NEW"
std::optional<PackageChange> parse_change(std::string_view line) {
  constexpr std::size_t kWords = 6;
  const auto parts = words(line);
  if (parts.size() != kWords) return std::nullopt;
  const auto action = parts[2];
  if (action != "install" && action != "upgrade" && action != "remove" && action != "purge")
    return std::nullopt;
  const auto colon = parts[3].rfind(':');
  if (colon == parts[3].npos || colon == 0) return std::nullopt;
  PackageChange change{0,
                       std::string(action),
                       std::string(parts[3].substr(0, colon)),
                       std::string(parts[3].substr(colon + 1)),
                       version_of(parts[4]),
                       version_of(parts[5])};
  if (action == "upgrade" &&
      version_compare(VersionScheme::deb, change.new_version, change.old_version) < 0) {
    change.action = "downgrade";
  }
  // After a removal dpkg has the old version's configuration: it was not installed.
  if (action == "install") change.old_version.clear();
  return change;
}

}  // namespace

std::vector<PackageChange> parse_dpkg_log(std::string_view text, const LocalTime& zone,
                                          WallSeconds since) {
  std::vector<PackageChange> changes;
  while (!text.empty()) {
    const auto line = cut_line(text);
    constexpr std::size_t kTimeBytes = 20;  // "2026-11-27 09:49:59 "
    // Most lines are of states; their time is not worth its parsing.
    if (line.size() <= kTimeBytes || line.substr(kTimeBytes).starts_with("status ")) continue;
    auto change = parse_change(line);
    if (!change) continue;
    const auto time = zone.parse(line);
    if (!time || *time < since) continue;
    change->time = *time;
    changes.push_back(*std::move(change));
  }
  return changes;
}

std::vector<AptTransaction> parse_apt_history(std::string_view text, const LocalTime& zone,
                                              WallSeconds since) {
  std::vector<AptTransaction> transactions;
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, Comments::none, stanza)) {
    const auto start = zone.parse(stanza.get("Start-Date"));
    if (!start || *start < since) continue;
    AptTransaction transaction;
    transaction.start = *start;
    transaction.end = zone.parse(stanza.get("End-Date"));
    transaction.command_line = stanza.get("Commandline");
    transaction.requested_by = stanza.get("Requested-By");
    transactions.push_back(std::move(transaction));
  }
  return transactions;
}

const AptTransaction* transaction_of(const PackageChange& change,
                                     const std::vector<AptTransaction>& transactions) {
  auto after = std::upper_bound(
      transactions.begin(), transactions.end(), change.time,
      [](WallSeconds time, const AptTransaction& transaction) { return time < transaction.start; });
  if (after == transactions.begin()) return nullptr;
  const AptTransaction& last = *std::prev(after);
  const WallSeconds end = last.end.value_or(last.start + kUnendedS);
  return change.time <= end ? &last : nullptr;
}

}  // namespace vouch::patch_level
