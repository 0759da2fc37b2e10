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
              {sdk::text("name", "Name, or where it was found").key(),
               sdk::text("tool", "restic, borg, pgbackrest, rsnapshot, directory"),
               sdk::text("repository", "Where it backs up to").redact(Redaction::url),
               sdk::boolean("remote", "The repository is on another host"),
               sdk::boolean("encrypted", "The repository is encrypted"),
               sdk::text("schedule", "Timer or cron entry that starts it").nullable("none known"),
               sdk::text("timer", "Timer that starts it").nullable("no timer is known to start it"),
               sdk::bytes("password_file", "File that holds the password or other secrets")
                   .nullable("none"),
               sdk::text("password_file_mode", "Its mode").nullable("none"),
               sdk::integer("password_file_uid", "Its owner").nullable("none"),
               sdk::text("paths", "What is backed up, separated by commas"),
               sdk::text("excludes", "Patterns that its command line excludes, by commas")},
          .collect = collect_backup_jobs};
}

sdk::Table snapshots() {
  constexpr std::string_view kOldVersion = "the tool, or this version of it, does not say";
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
  constexpr std::string_view kNotOurs = "not a restore test of this collector";
  return {
      .name = "backup_checks",
      .title = "Last checks and restore tests: of the site's units, and of this collector",
      .columns =
          {sdk::text("job", "Job").key(), sdk::text("kind", "check, restore").key(),
           sdk::text("source", "The unit, or vouch").key(), sdk::time("time", "When it ended"),
           sdk::text("result", "ok, failed"),
           sdk::text("message", "What the tool, or systemd, says"),
           sdk::integer("duration_s", "Seconds that it took")
               .nullable("not measured: a unit of the site"),
           sdk::integer("files", "Files that were restored and compared").nullable(kNotOurs),
           sdk::integer("mismatched", "Of them: differ, or did not come out").nullable(kNotOurs)},
      .is_volatile = true,
      .collect = collect_backup_checks};
}

sdk::Table runs() {
  return {.name = "backup_runs",
          .title = "Runs of the jobs' units in the last 31 days, by the journal",
          .columns = {sdk::text("job", "Job").key(), sdk::text("unit", "Unit").key(),
                      sdk::time("time", "When it ended").key(), sdk::occurrence(),
                      sdk::text("result", "success, or systemd's word for the failure")},
          .is_volatile = true,
          .collect = collect_backup_runs};
}

sdk::Table dumps() {
  return {.name = "backup_dumps",
          .title = "Files in the directories into which jobs write dumps and archives",
          .columns = {sdk::text("job", "Job").key(), sdk::bytes("path", "File").key(),
                      sdk::time("time", "When it was last written"),
                      sdk::integer("bytes", "Size in bytes"),
                      sdk::text("kind", "By its first bytes: sql, pg_dump, gzip, zstd, xz, tar"),
                      sdk::boolean("complete", "It has its end mark, and its data expand")
                          .nullable("its kind has no mark, or it is not the newest, or too large"),
                      sdk::integer("uid", "Owner"), sdk::text("mode", "Mode")},
          .collect = collect_backup_dumps};
}

sdk::Table repositories() {
  constexpr std::string_view kElsewhere = "the repository is not on this host";
  return {.name = "backup_repositories",
          .title = "Where backups are kept: who may touch them, what guards them from deletion",
          .columns = {sdk::text("job", "Job").key(),
                      sdk::boolean("remote", "A repository is on another host"),
                      sdk::bytes("path", "Directory").nullable(kElsewhere),
                      sdk::integer("uid", "Owner").nullable(kElsewhere),
                      sdk::integer("gid", "Group").nullable(kElsewhere),
                      sdk::text("mode", "Mode").nullable(kElsewhere),
                      sdk::text("deletion_guard", "append_only of borg; attribute of the directory")
                          .nullable("none that can be seen from this host")},
          .collect = collect_backup_repositories};
}

sdk::Table alerts() {
  return {.name = "backup_alerts",
          .title = "Who is told when a job fails, by the units and crontabs",
          .columns = {sdk::text("job", "Job").key(), sdk::text("kind", "OnFailure, MAILTO").key(),
                      sdk::text("target", "Unit or address").key(), sdk::occurrence()},
          .collect = collect_backup_alerts};
}

sdk::Table logs() {
  return {.name = "backup_logs",
          .title = "How far back the logs of the jobs go",
          .columns = {sdk::text("job", "Job").key(),
                      sdk::bytes("source", "journal, or the path of the log").key(),
                      sdk::time("oldest", "Oldest entry; of a file: its last change"),
                      sdk::time("newest", "Newest entry"),
                      sdk::integer("files", "Files of the log; 0 of the journal")},
          .is_volatile = true,
          .collect = collect_backup_logs};
}

}  // namespace

sdk::Collector make_backup_jobs() {
  return {
      .name = "backup_jobs",
      .title = "Backup jobs, their snapshots and timers",
      .interval_s = 3600,
      .deadline_s = 300,
      .options = {{.name = "jobs",
                   .type = sdk::OptionType::objects,
                   .title = "Jobs to watch; those found in units and cron are added",
                   .members = {{"name", "Name", true},
                               {"tool", "restic, borg, pgbackrest, rsnapshot, directory", true},
                               {"repository", "As the tool takes it; of directory its path"},
                               {"password_file", "Absolute path of the password file"},
                               {"timer", "Timer that starts it"},
                               {"config", "Configuration file of pgbackrest or rsnapshot"},
                               {"stanza", "Stanza of pgbackrest"},
                               {"pattern", "Names of the dumps in a directory: *.sql.gz"},
                               {"verify_days", "Have the tool check the repository every N days"},
                               {"restore_days", "Test a restore every N days"},
                               {"restore_sample", "Files to restore and compare, by commas"}}}},
      .needs_cache_dir = true,  // Results of our own tests; borg's own directory.
      .tables = {systemd_timers(), jobs(), snapshots(), checks(), runs(), dumps(), repositories(),
                 alerts(), logs()}};
}

}  // namespace vouch::backup_jobs
