// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/rsnapshot.h"

#include <algorithm>
#include <utility>

#include "collectors/facts/lines.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;

// "daily.3" of the level daily.
bool is_snapshot_of(std::string_view name, std::string_view level) {
  if (!name.starts_with(level) || name.size() < level.size() + 2 || name[level.size()] != '.')
    return false;
  const auto number = name.substr(level.size() + 1);
  return number.find_first_not_of("0123456789") == number.npos;
}

}  // namespace

void read_rsnapshot_config(std::string_view text, RepositoryPlace& place,
                           std::vector<std::string>& levels) {
  place.encrypted = false;
  facts::each_line(text, [&](std::string_view line, int) {
    const auto words = facts::words_of(line);
    if (words.size() < 2) return;
    if (words[0] == "snapshot_root") {
      std::string root(words[1]);
      while (root.size() > 1 && root.ends_with('/')) root.pop_back();
      place.address = root;
      place.path = std::move(root);
    } else if (words[0] == "retain" || words[0] == "interval") {
      levels.emplace_back(words[1]);
    } else if (words[0] == "backup") {
      place.paths.emplace_back(words[1]);
    } else if (words[0] == "logfile") {
      place.log_path = words[1];
    }
  });
  if (!place.path) place.problem = Error{Errc::invalid, "no snapshot_root in the configuration"};
}

RepositoryPlace rsnapshot_place(const Root& root, const Job& job) {
  RepositoryPlace place;
  const auto text = root.read(job.config, kConfigBytesMax);
  if (!text) {
    place.problem = text.error();
    return place;
  }
  std::vector<std::string> levels;
  read_rsnapshot_config(*text, place, levels);
  return place;
}

Result<RepositoryState> read_rsnapshot(const Root& root, const Job& job) {
  const auto text = root.read(job.config, kConfigBytesMax);
  if (!text) return text.error();
  RepositoryPlace place;
  std::vector<std::string> levels;
  read_rsnapshot_config(*text, place, levels);
  if (place.problem) return *place.problem;
  const auto names = root.list(*place.path);
  if (!names) return names.error();
  RepositoryState state;
  state.encrypted = false;
  for (const std::string& name : *names) {
    const auto level = std::find_if(levels.begin(), levels.end(), [&](const std::string& known) {
      return is_snapshot_of(name, known);
    });
    if (level == levels.end()) continue;
    const auto info = root.lstat(*place.path + '/' + name);
    if (!info || !S_ISDIR(info->st_mode)) continue;
    Snapshot snapshot;
    // Directories move up by one at each run: the inode stays with the content.
    snapshot.id = *level + '-' + std::to_string(info->st_ino);
    snapshot.time = info->st_mtim.tv_sec;
    snapshot.tags = {*level};
    snapshot.paths = place.paths;
    state.snapshots.push_back(std::move(snapshot));
  }
  return state;
}

}  // namespace vouch::backup_jobs
