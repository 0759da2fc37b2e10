// SPDX-License-Identifier: Apache-2.0
// The table scheduled_jobs: everything that starts by the clock, whoever installed it.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/crontab.h"
#include "collectors/config_drift/unit_files.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/unit_settings.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kFilesMax = 20'000;  // Of one directory.

// Debian's cron and run-parts take no other names; those of RPM systems take more.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool cronie_takes(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kLeftovers{"~", ".rpmsave", ".rpmorig",
                                                              ".rpmnew", ",v"};
  return !name.empty() && name[0] != '.' && name[0] != '#' &&
         std::none_of(kLeftovers.begin(), kLeftovers.end(),
                      [&](std::string_view end) { return name.ends_with(end); });
}

class Jobs {
 public:
  Jobs(Context& context, Rows& rows) : context_(context), root_(context.root()), rows_(rows) {}

  Status collect() {
    is_debian_ = root_.exists("/etc/debian_version");
    table("/etc/crontab", true, "", true);
    for (const std::string& name : names("/etc/cron.d")) {
      table("/etc/cron.d/" + name, true, "", is_taken(name));
    }
    // Debian keeps them one directory deeper than RPM systems.
    for (const std::string spool : {"/var/spool/cron/crontabs", "/var/spool/cron"}) {
      for (const std::string& name : names(spool)) table(spool + "/" + name, false, name, true);
    }
    for (const std::string period : {"hourly", "daily", "weekly", "monthly", "yearly"}) {
      scripts("cron." + period);
    }
    if (const auto text = read("/etc/anacrontab")) {
      add_all(parse_anacrontab(*text, "/etc/anacrontab"), "/etc/anacrontab", true);
    }
    for (const std::string spool : {"/var/spool/cron/atjobs", "/var/spool/at"}) at_jobs(spool);
    return timers();
  }

 private:
  bool is_taken(std::string_view name) const {
    return is_debian_ ? is_plain_name(name) : cronie_takes(name);
  }

  std::vector<std::string> names(const std::string& directory) {
    auto listed = root_.list(directory, kFilesMax);
    if (listed) return *std::move(listed);
    if (listed.error().code != Errc::not_found) rows_.gap(directory, listed.error());
    return {};
  }

  // The text of a file. What is a directory (a spool inside a spool) or gone is nothing.
  std::optional<std::string> read(const std::string& path) {
    const auto status = root_.stat(path);
    if (status && S_ISDIR(status->st_mode)) return std::nullopt;
    auto text = root_.read(path, kFileBytesMax);
    if (text) return *std::move(text);
    if (text.error().code != Errc::not_found) rows_.gap(path, text.error());
    return std::nullopt;
  }

  void add(const ScheduledJob& job) {
    rows_.add(
        {job.kind, job.source, job.schedule, job.username, job.command, job.unit, job.enabled});
  }

  void add_all(const Crontab& crontab, const std::string& path, bool enabled) {
    for (ScheduledJob job : crontab.jobs) {
      job.enabled = enabled;
      add(job);
    }
    for (const int line : crontab.faults) {
      rows_.gap(path + ":" + std::to_string(line), {Errc::invalid, "is no job of cron"});
    }
  }

  void table(const std::string& path, bool has_user, const std::string& user, bool enabled) {
    const auto text = read(path);
    if (text) add_all(parse_crontab(*text, path, has_user, user), path, enabled);
  }

  void scripts(const std::string& kind) {
    for (const std::string& name : names("/etc/" + kind)) {
      const std::string path = "/etc/" + kind + "/" + name;
      const auto status = root_.stat(path);
      if (status && S_ISDIR(status->st_mode)) continue;
      const bool is_run = is_taken(name) && status && (status->st_mode & 0111) != 0;
      add({kind, path, kind, "root", path, std::nullopt, is_run});
    }
  }

  void at_jobs(const std::string& spool) {
    for (const std::string& name : names(spool)) {
      const std::string path = spool + "/" + name;
      if (name.starts_with('.')) continue;  // .SEQ
      const auto text = read(path);
      if (!text) continue;
      if (const auto job = parse_at_job(name, *text, path)) add(*job);
    }
  }

  std::vector<facts::UnitSetting> settings_of(const UnitFile& unit) {
    std::vector<facts::UnitSetting> all;
    std::vector<std::string> files = unit.drop_ins;
    if (unit.fragment_path) files.insert(files.begin(), *unit.fragment_path);
    for (const std::string& path : files) {
      const auto text = read(path);
      if (!text) continue;
      auto settings = facts::parse_unit(*text);
      std::move(settings.begin(), settings.end(), std::back_inserter(all));
    }
    return all;
  }

  Status timers() {
    const auto& scanned = context_.once(ScanUnits{root_});
    if (!scanned) {
      // Without systemd cron is all there is.
      return scanned.error().code == Errc::not_found ? Status(Ok{}) : Status(scanned.error());
    }
    for (const auto& [id, unit] : scanned->units) {
      const bool is_alias = unit.unit_file_state == "alias";
      if (!id.ends_with(".timer") || id.find("@.") != std::string::npos || is_alias) continue;
      timer(id, unit, *scanned);
    }
    return Ok{};
  }

  void timer(const std::string& id, const UnitFile& unit, const UnitFiles& all) {
    if (unit.load_state == "not-found") return;
    const auto settings = settings_of(unit);
    const std::string stem = id.substr(0, id.size() - std::string_view(".timer").size());
    const std::string target = facts::unit_value(settings, "Timer", "Unit", stem + ".service");
    std::string command;
    std::string user;
    auto service = all.units.find(target);
    if (service == all.units.end()) service = all.units.find(template_of(target));
    if (service != all.units.end()) {
      const auto lines = settings_of(service->second);
      for (const std::string& line : facts::unit_values(lines, "Service", "ExecStart")) {
        command += (command.empty() ? "" : "; ") + line;
      }
      user = facts::unit_value(lines, "Service", "User", "root");
    }
    if (command.empty()) command = target;
    const bool is_started = unit.load_state != "masked" && unit.unit_file_state != "disabled" &&
                            (unit.unit_file_state != "static" || unit.is_wanted);
    add({"timer", unit.fragment_path.value_or(id), facts::timer_schedule(settings), user, command,
         id, is_started});
  }

  Context& context_;
  const Root& root_;
  Rows& rows_;
  bool is_debian_ = false;
};

Status collect(Context& context, Rows& rows) {
  return Jobs(context, rows).collect();
}

}  // namespace

sdk::Table scheduled_jobs_table() {
  return {.name = "scheduled_jobs",
          .title = "What starts by the clock: cron, anacron, at and timers",
          .columns = {sdk::text("kind", "cron, cron.daily …, anacron, at, timer").key(),
                      sdk::bytes("source", "The file").key(),
                      sdk::text("schedule", "As written; of at: seconds since 1970").key(),
                      sdk::text("username", "As whom; empty: the file does not say").key(),
                      sdk::bytes("command", "What").key().redact(Redaction::command),
                      sdk::occurrence(), sdk::text("unit", "The timer's name").nullable("no timer"),
                      sdk::boolean("enabled", "It is started; not skipped, masked or disabled")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::drift
