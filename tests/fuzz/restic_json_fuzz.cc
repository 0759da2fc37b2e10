// SPDX-License-Identifier: Apache-2.0
// What restic and systemctl print, and the command lines in which restic is looked for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/backup_jobs/discovery.h"
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
  bj::read_script(text, "/f", "cron.daily");
  bj::parse_unit(text);
  bj::parse_show(text);
  if (const auto timers = bj::parse_list_timers(text); !timers && timers.error().message.empty()) {
    std::abort();
  }
  return 0;
}
