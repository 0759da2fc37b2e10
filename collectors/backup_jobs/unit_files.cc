// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/unit_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kUnitBytesMax = std::size_t{1} << 20;

// In the order in which systemd prefers them.
constexpr std::array<std::string_view, 5> kDirectories = {
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system"};

bool is_template(std::string_view name) {
  return name.find("@.") != name.npos;
}

// "foo@.timer" of "foo@bar.timer"; the name itself if it is no instance.
std::string template_of(std::string_view name) {
  const auto at = name.find('@');
  if (at == name.npos) return std::string(name);
  return std::string(name.substr(0, at + 1)) + std::string(name.substr(name.rfind('.')));
}

// Where the names found on the way are kept.
struct Found {
  std::map<std::string, std::string> paths;  // Unit or template → the file that systemd would load.
  std::set<std::string> enabled;             // Wanted by links in /etc.
  std::set<std::string> enabled_runtime;     // By links in /run.
  std::set<std::string> names;
  std::set<std::string> drop_ins;  // Directories, "foo.service.d" and the like.
};

void scan_links(const Root& root, const std::string& directory, std::string_view suffix,
                Found& found) {
  const auto names = root.list(directory);
  for (const std::string& name : names.value_or({})) {
    if (!name.ends_with(suffix)) continue;
    if (!is_template(name)) found.names.insert(name);
    if (directory.starts_with("/etc/")) found.enabled.insert(name);
    if (directory.starts_with("/run/")) found.enabled_runtime.insert(name);
  }
}

bool scan(const Root& root, std::string_view suffix, Found& found, Units& units) {
  bool has_directory = false;
  for (const std::string_view directory : kDirectories) {
    const auto names = root.list(directory);
    if (!names) {
      if (names.error().code != Errc::not_found) {
        units.problems.push_back({std::string(directory), names.error()});
      }
      continue;
    }
    has_directory = true;
    for (const std::string& name : *names) {
      const std::string path = std::string(directory) + '/' + name;
      if (name.ends_with(".wants") || name.ends_with(".requires")) {
        scan_links(root, path, suffix, found);
      } else if (name.ends_with(".d")) {
        found.drop_ins.insert(path);
      } else if (name.ends_with(suffix)) {
        found.paths.emplace(name, path);
        if (!is_template(name)) found.names.insert(name);
      }
    }
  }
  return has_directory;
}

void read_drop_ins(const Root& root, const Found& found, Unit& unit, Units& units) {
  std::map<std::string, std::string> files;  // By name: that of the first directory counts.
  for (const std::string_view directory : kDirectories) {
    for (const std::string& owner : {unit.name, template_of(unit.name)}) {
      const std::string path = std::string(directory) + '/' + owner + ".d";
      if (!found.drop_ins.contains(path)) continue;
      for (const std::string& name : root.list(path).value_or({})) {
        if (name.ends_with(".conf")) files.emplace(name, path + '/' + name);
      }
    }
  }
  for (const auto& [name, path] : files) {
    const auto text = root.read(path, kUnitBytesMax);
    if (!text) {
      if (text.error().code != Errc::not_found) units.problems.push_back({path, text.error()});
      continue;
    }
    auto settings = parse_unit(*text);
    std::move(settings.begin(), settings.end(), std::back_inserter(unit.settings));
  }
}

bool is_masked(const Root& root, const std::string& path) {
  if (root.read_link(path).value_or("") == "/dev/null") return true;
  const auto info = root.stat(path);
  return info && S_ISREG(info->st_mode) && info->st_size == 0;
}

std::string state_of(const Unit& unit, const Found& found) {
  const std::string own = template_of(unit.name);
  if (found.enabled.contains(unit.name) || found.enabled.contains(own)) return "enabled";
  if (found.enabled_runtime.contains(unit.name)) return "enabled-runtime";
  const bool has_install = std::any_of(unit.settings.begin(), unit.settings.end(),
                                       [](const UnitSetting& s) { return s.section == "Install"; });
  return has_install ? "disabled" : "static";
}

}  // namespace

std::vector<std::string> Unit::all(std::string_view section, std::string_view key) const {
  return facts::unit_values(settings, section, key);
}

std::string Unit::last(std::string_view section, std::string_view key,
                       std::string_view fallback) const {
  return facts::unit_value(settings, section, key, fallback);
}

const Unit* Units::find(std::string_view name) const {
  const auto found =
      std::lower_bound(units.begin(), units.end(), name,
                       [](const Unit& unit, auto wanted) { return unit.name < wanted; });
  return found != units.end() && found->name == name ? &*found : nullptr;
}

Result<Units> read_units(const Root& root, std::string_view suffix) {
  Units units;
  Found found;
  if (!scan(root, suffix, found, units)) {
    if (!units.problems.empty()) return units.problems.front().error;
    return Error{Errc::not_found, "no directory of systemd units: systemd is not used here"};
  }
  for (const std::string& name : found.names) {
    auto path = found.paths.find(name);
    if (path == found.paths.end()) path = found.paths.find(template_of(name));
    if (path == found.paths.end()) continue;  // A link to a unit that was removed.
    Unit unit{name, path->second, {}, {}};
    if (is_masked(root, unit.path)) {
      unit.state = "masked";
      units.units.push_back(std::move(unit));
      continue;
    }
    const auto text = root.read(unit.path, kUnitBytesMax);
    if (!text) {
      // A dangling link is what a removed package left behind.
      if (text.error().code != Errc::not_found) units.problems.push_back({unit.path, text.error()});
      continue;
    }
    unit.settings = parse_unit(*text);
    read_drop_ins(root, found, unit, units);
    unit.state = state_of(unit, found);
    units.units.push_back(std::move(unit));
  }
  return units;
}

std::string activated_by(const Unit& timer) {
  const auto stem = timer.name.substr(0, timer.name.rfind('.'));
  return timer.last("Timer", "Unit", stem + ".service");
}

std::optional<WallSeconds> last_trigger(const Root& root, std::string_view timer) {
  const auto info = root.stat("/var/lib/systemd/timers/stamp-" + std::string(timer));
  if (!info) return std::nullopt;
  return info->st_mtim.tv_sec;
}

std::string schedule_of(const Unit& timer) {
  return facts::timer_schedule(timer.settings);
}

}  // namespace vouch::backup_jobs
