// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/backup_jobs.h"

#include "collectors/backup_jobs/tables.h"

namespace vouch::backup_jobs {
namespace {

sdk::Table systemd_timers() {
  constexpr std::string_view kNotRunning = "systemd does not run here";
  return {
      .name = "systemd_timers",
      .title = "Timers of systemd, when they last ran and how that ended",
      .columns = {sdk::text("id", "Timer").key(), sdk::text("activates", "The unit that it starts"),
                  sdk::text("unit_file_state", "enabled, disabled, static, masked …"),
                  sdk::text("active_state", "State now").nullable(kNotRunning),
                  sdk::time("next_elapse", "Next run").nullable("none"),
                  sdk::time("last_trigger", "Last run").nullable("never"),
                  sdk::text("last_result", "How the last run of what it starts ended")
                      .nullable("never ran, or systemd does not run here")},
      .is_volatile = true,
      .collect = collect_systemd_timers};
}

sdk::Table jobs() {
  return {.name = "backup_jobs",
          .title = "Backup jobs, configured or found in units and cron",
          .columns =
              {sdk::text("name", "Name, or where it was found").key(), sdk::text("tool", "restic"),
               sdk::text("repository", "Where it backs up to").redact(Redaction::url),
               sdk::boolean("remote", "The repository is on another host"),
               sdk::boolean("encrypted", "The repository is encrypted"),
               sdk::text("schedule", "Timer or cron entry that starts it").nullable("none known"),
               sdk::bytes("password_file", "File that holds the password").nullable("none"),
               sdk::text("password_file_mode", "Its mode").nullable("none"),
               sdk::text("paths", "What is backed up, separated by commas")},
          .collect = collect_backup_jobs};
}

sdk::Table snapshots() {
  constexpr std::string_view kOldVersion = "not in this version's snapshot";
  return {
      .name = "backup_snapshots",
      .title = "Snapshots in the repositories",
      .columns = {sdk::text("job", "Job").key(), sdk::text("snapshot_id", "Snapshot").key(),
                  sdk::time("time", "When it was made"), sdk::text("hostname", "Host that made it"),
                  sdk::text("paths", "What is in it, separated by commas"),
                  sdk::text("tags", "Tags, separated by commas"),
                  sdk::text("tree", "Digest of its root"),
                  sdk::integer("files", "Files").nullable(kOldVersion),
                  sdk::integer("bytes", "Size in bytes").nullable(kOldVersion)},
      .collect = collect_backup_snapshots};
}

sdk::Table checks() {
  return {.name = "backup_checks",
          .title = "Last runs of the units that check or restore backups",
          .columns = {sdk::text("job", "Job").key(), sdk::text("kind", "check, restore").key(),
                      sdk::time("time", "When it ended"), sdk::text("result", "ok, failed"),
                      sdk::text("message", "The unit and systemd's word for the result")},
          .collect = collect_backup_checks};
}

}  // namespace

sdk::Collector make_backup_jobs() {
  return {.name = "backup_jobs",
          .title = "Backup jobs, their snapshots and timers",
          .interval_s = 3600,
          .deadline_s = 300,
          .options = {{.name = "jobs",
                       .type = sdk::OptionType::objects,
                       .title = "Jobs to watch; those found in units and cron are added",
                       .members = {{"name", "Name", true},
                                   {"tool", "restic", true},
                                   {"repository", "As restic takes it", true},
                                   {"password_file", "Absolute path of the password file"},
                                   {"timer", "Timer that starts it"}}}},
          .tables = {systemd_timers(), jobs(), snapshots(), checks()}};
}

}  // namespace vouch::backup_jobs
