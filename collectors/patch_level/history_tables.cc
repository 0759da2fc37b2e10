// SPDX-License-Identifier: Apache-2.0
// What the logs of dpkg, apt and unattended-upgrades say of the last weeks.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/automatic_runs.h"
#include "collectors/patch_level/input_token.h"
#include "collectors/patch_level/log_files.h"
#include "collectors/patch_level/package_history.h"
#include "collectors/patch_level/tables.h"
#include "collectors/sdk/context.h"

namespace vouch::patch_level {
namespace {

constexpr std::string_view kDpkgLog = "/var/log/dpkg.log";
constexpr std::string_view kAptHistory = "/var/log/apt/history.log";
constexpr std::string_view kUnattendedLog = "/var/log/unattended-upgrades/unattended-upgrades.log";
constexpr WallSeconds kDayS = 86400;
constexpr std::int64_t kHistoryDays = 31;

// The first second of the oldest day that is told: whole days, so that the rows and the token stay
// as they are within a day.
WallSeconds history_start(const sdk::Context& context) {
  const std::int64_t days =
      std::clamp<std::int64_t>(context.integer_option("history_days", kHistoryDays), 1, 400);
  return (context.now() / kDayS - days) * kDayS;
}

// True if the log was written since; older rotations need not be read.
bool is_recent(const Root& root, const std::string& path, WallSeconds since) {
  const auto info = root.stat(path);
  return !info || info->st_mtim.tv_sec >= since;
}

// Gives the text of each log that was written since `since` to `use`, newest first. not_found:
// there is no log. A log that cannot be read is a gap.
template <typename Use>
Status read_logs(const Root& root, std::string_view path, WallSeconds since, sdk::Rows& rows,
                 const Use& use) {
  const auto paths = log_paths(root, path);
  if (!paths) return paths.error();
  for (const std::string& name : *paths) {
    if (!is_recent(root, name, since)) continue;
    if (const auto text = read_log(root, name)) {
      use(*text);
    } else if (text.error().code != Errc::not_found) {
      rows.gap(name, text.error());
    }
  }
  return Ok{};
}

std::string history_token(const sdk::Context& context, std::string_view directory,
                          WallSeconds since) {
  InputToken token(context.root(), context.now());
  token.add_directory(directory);
  token.add_file("/etc/localtime");
  for (const std::string& path :
       log_paths(context.root(), kDpkgLog).value_or(std::vector<std::string>{})) {
    token.add_file(path);
  }
  token.add_text(std::to_string(since));
  return token.text();
}

bool is_unattended(const AptTransaction& transaction) {
  return transaction.command_line.find("unattended-upgrade") != std::string::npos;
}

void add_change(const PackageChange& change, const AptTransaction* transaction, sdk::Rows& rows) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? sdk::Cell(nullptr) : sdk::Cell(text);
  };
  sdk::Cell command(nullptr);
  sdk::Cell requested_by(nullptr);
  std::string_view initiator = "dpkg";
  if (transaction != nullptr) {
    initiator = is_unattended(*transaction) ? "unattended-upgrades" : "apt";
    command = text_or_null(transaction->command_line);
    requested_by = text_or_null(transaction->requested_by);
  }
  rows.add({change.time, change.name, change.arch, change.action, text_or_null(change.old_version),
            text_or_null(change.new_version), initiator, command, requested_by});
}

}  // namespace

Status collect_package_changes(sdk::Context& context, sdk::Rows& rows) {
  const WallSeconds since = history_start(context);
  const auto token = history_token(context, "/var/log/apt", since);
  if (!token.empty() && rows.unchanged(token)) return Ok{};

  const Root& root = context.root();
  const LocalTime zone(root);
  std::vector<PackageChange> changes;
  auto status = read_logs(root, kDpkgLog, since, rows, [&](std::string_view text) {
    auto found = parse_dpkg_log(text, zone, since);
    std::move(found.begin(), found.end(), std::back_inserter(changes));
  });
  if (!status) return status;
  std::vector<AptTransaction> transactions;
  // A transaction that began the day before may reach into the first one.
  status = read_logs(root, kAptHistory, since - kDayS, rows, [&](std::string_view text) {
    auto found = parse_apt_history(text, zone, since - kDayS);
    std::move(found.begin(), found.end(), std::back_inserter(transactions));
  });
  if (!status) rows.gap(kAptHistory, status.error());
  std::sort(transactions.begin(), transactions.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  for (const PackageChange& change : changes) {
    add_change(change, transaction_of(change, transactions), rows);
  }
  return Ok{};
}

Status collect_automatic_updates(sdk::Context& context, sdk::Rows& rows) {
  const WallSeconds since = history_start(context);
  const LocalTime zone(context.root());
  std::vector<AutomaticRun> runs;
  auto status = read_logs(context.root(), kUnattendedLog, since, rows, [&](std::string_view text) {
    auto found = parse_unattended_log(text, zone, since);
    std::move(found.begin(), found.end(), std::back_inserter(runs));
  });
  // Where the tool never ran there is no log: no runs, which is a fact.
  if (!status && status.error().code != Errc::not_found) return status;
  for (const AutomaticRun& run : runs) {
    rows.add(
        {"unattended-upgrades", run.started, run.ended, run.result, run.packages, run.message});
  }
  return Ok{};
}

}  // namespace vouch::patch_level
