// SPDX-License-Identifier: Apache-2.0
// What restic, borg, pgBackRest and systemctl print, and the command lines in which they are looked
// for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/backup_jobs/borg.h"
#include "collectors/backup_jobs/discovery.h"
#include "collectors/backup_jobs/dump_files.h"
#include "collectors/backup_jobs/pgbackrest.h"
#include "collectors/backup_jobs/snapshots.h"
#include "collectors/backup_jobs/systemctl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace bj = vouch::backup_jobs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto snapshots = bj::parse_snapshots(text);
  if (snapshots) {
    for (const bj::Snapshot& snapshot : *snapshots) {
      if (snapshot.id.size() != 64) std::abort();
    }
  } else if (snapshots.error().message.empty()) {
    std::abort();
  }
  for (const bj::FoundUse& found : bj::read_crontab(text, "/f", true)) {
    if (found.use.action.empty() || !found.schedule) std::abort();
  }
  if (const auto state = bj::parse_borg_list(text)) {
    for (const bj::Snapshot& archive : state->snapshots) {
      if (archive.tags.size() != 1) std::abort();
    }
  }
  if (const auto state = bj::parse_pgbackrest_info(text); !state && state.error().message.empty())
    std::abort();
  if (const auto damage = bj::pgbackrest_damage(text); !damage && damage.error().message.empty())
    std::abort();
  bj::RepositoryPlace place;
  bj::read_borg_config(text, place);
  bj::read_pgbackrest_config(text, "main", place);
  std::string head;
  std::string tail;
  bj::gzip_is_whole(text, 1 << 20, head, tail);
  bj::has_end_mark(head, tail);
  bj::read_script(text, "/f", "cron.daily");
  bj::parse_unit(text);
  bj::parse_show(text);
  if (const auto timers = bj::parse_list_timers(text); !timers && timers.error().message.empty()) {
    std::abort();
  }
  return 0;
}
