// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/discovery.h"

#include <algorithm>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

std::string_view cut_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return {};
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

std::string_view cut_word(std::string_view& line) {
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(line.find_first_not_of(" \t", end), line.size()));
  return word;
}

void read_variable_line(std::string_view line, ToolEnvironment& environment) {
  for (const std::string& word : split_words(line)) read_assignment(word, environment);
}

// Several calls of one place are told apart by a number.
void add_uses(std::vector<ToolUse> uses, const FoundUse& place, std::vector<FoundUse>& found) {
  for (ToolUse& use : uses) {
    FoundUse entry = place;
    const auto same = std::count_if(found.begin(), found.end(), [&](const FoundUse& other) {
      return other.name == place.name || other.name.starts_with(place.name + '#');
    });
    if (same > 0) entry.name += '#' + std::to_string(same + 1);
    entry.use = std::move(use);
    found.push_back(std::move(entry));
  }
}

// Environment= and EnvironmentFile= of a service. Of the files, which hold the passwords as well,
// only the harmless names are taken.
ToolEnvironment environment_of(const Root& root, const Unit& service, Discovery& discovery) {
  ToolEnvironment environment;
  for (const std::string& value : service.all("Service", "Environment")) {
    read_variable_line(value, environment);
  }
  for (std::string path : service.all("Service", "EnvironmentFile")) {
    const bool may_be_absent = path.starts_with('-');
    if (may_be_absent) path.erase(0, 1);
    const auto text = root.read(path, kFileBytesMax);
    if (!text) {
      if (!may_be_absent) discovery.problems.push_back({path, text.error()});
      continue;
    }
    for (std::string_view rest = *text; !rest.empty();) {
      const auto line = cut_line(rest);
      if (!line.starts_with('#')) read_variable_line(line, environment);
    }
  }
  return environment;
}

std::optional<std::string> schedule_for(const Unit& service, const Units& timers) {
  for (const Unit& timer : timers.units) {
    const bool is_live = timer.state != "disabled" && timer.state != "masked";
    if (is_live && activated_by(timer) == service.name)
      return timer.name + ' ' + schedule_of(timer);
  }
  return std::nullopt;
}

bool starts_tool(const Unit& service) {
  return std::any_of(service.settings.begin(), service.settings.end(), [](const UnitSetting& s) {
    return s.key.starts_with("Exec") && mentions_tool(s.value);
  });
}

// What systemd does when the service fails.
std::vector<FailureAction> alerts_of(const Unit& service) {
  std::vector<FailureAction> actions;
  for (const std::string& value : service.all("Unit", "OnFailure")) {
    for (const std::string& unit : split_words(value)) actions.push_back({"OnFailure", unit});
  }
  return actions;
}

void discover_units(const Root& root, Discovery& discovery) {
  auto services = read_units(root, ".service");
  const auto timers = read_units(root, ".timer");
  if (!services || !timers) {
    const Error& error = services ? timers.error() : services.error();
    // Without systemd there is nothing to find.
    if (error.code != Errc::not_found) discovery.problems.push_back({"systemd units", error});
    return;
  }
  for (const Unit& service : services->units) {
    if (service.state == "masked" || !starts_tool(service)) continue;
    const ToolEnvironment environment = environment_of(root, service, discovery);
    const FoundUse place{
        service.name, service.name, schedule_for(service, *timers), {}, alerts_of(service)};
    for (const std::string_view key : {"ExecStartPre", "ExecStart", "ExecStartPost"}) {
      for (const std::string& line : service.all("Service", key)) {
        add_uses(find_tools(line, environment), place, discovery.uses);
      }
    }
  }
  std::move(services->problems.begin(), services->problems.end(),
            std::back_inserter(discovery.problems));
}

void discover_file(const Root& root, const std::string& path, Discovery& discovery,
                   const auto& parse) {
  const auto text = root.read(path, kFileBytesMax);
  if (!text) {
    if (text.error().code != Errc::not_found) discovery.problems.push_back({path, text.error()});
    return;
  }
  auto uses = parse(*text);
  std::move(uses.begin(), uses.end(), std::back_inserter(discovery.uses));
}

std::vector<std::string> paths_in(const Root& root, std::string_view directory,
                                  Discovery& discovery) {
  std::vector<std::string> paths;
  const auto names = root.list(directory);
  if (!names && names.error().code != Errc::not_found) {
    discovery.problems.push_back({std::string(directory), names.error()});
  }
  for (const std::string& name : names.value_or({})) {
    // cron itself passes over names with a dot: editors' backups, dpkg's leftovers.
    if (name.find('.') == name.npos) paths.push_back(std::string(directory) + '/' + name);
  }
  return paths;
}

void discover_cron(const Root& root, Discovery& discovery) {
  std::vector<std::string> tables = {"/etc/crontab"};
  for (auto& path : paths_in(root, "/etc/cron.d", discovery)) tables.push_back(std::move(path));
  for (const std::string& path : tables) {
    discover_file(root, path, discovery,
                  [&](std::string_view text) { return read_crontab(text, path, true); });
  }
  for (const std::string_view spool : {"/var/spool/cron/crontabs", "/var/spool/cron"}) {
    for (const std::string& path : paths_in(root, spool, discovery)) {
      const auto info = root.stat(path);
      if (info && S_ISDIR(info->st_mode)) continue;
      discover_file(root, path, discovery,
                    [&](std::string_view text) { return read_crontab(text, path, false); });
    }
  }
  for (const std::string_view period :
       {"cron.hourly", "cron.daily", "cron.weekly", "cron.monthly"}) {
    for (const std::string& path : paths_in(root, "/etc/" + std::string(period), discovery)) {
      discover_file(root, path, discovery,
                    [&](std::string_view text) { return read_script(text, path, period); });
    }
  }
}

}  // namespace

std::vector<FoundUse> read_crontab(std::string_view text, std::string_view path, bool has_user) {
  constexpr int kTimeFields = 5;
  std::vector<FoundUse> found;
  ToolEnvironment environment;
  std::vector<FailureAction> alerts;
  while (!text.empty()) {
    auto line = cut_line(text);
    if (line.empty() || line.starts_with('#')) continue;
    const bool is_time = line.starts_with('@') || line.starts_with('*') ||
                         (line.front() >= '0' && line.front() <= '9');
    if (!is_time) {
      // "NAME = value" may have spaces and no quotes.
      const auto equals = line.find('=');
      if (equals == line.npos) continue;
      std::string assignment;
      for (const std::string& word : split_words(line.substr(0, equals))) assignment += word;
      assignment += '=';
      for (const std::string& word : split_words(line.substr(equals + 1))) assignment += word;
      read_assignment(assignment, environment);
      constexpr std::string_view kMailTo = "MAILTO=";
      if (assignment.starts_with(kMailTo)) {
        alerts.clear();
        if (assignment.size() > kMailTo.size())
          alerts.push_back({"MAILTO", assignment.substr(kMailTo.size())});
      }
      continue;
    }
    std::string when(cut_word(line));
    for (int i = 1; i < kTimeFields && !when.starts_with('@'); ++i) {
      when.append(" ").append(cut_word(line));
    }
    if (has_user) cut_word(line);
    const FoundUse place{"cron:" + std::string(path), {}, "cron " + when, {}, alerts};
    add_uses(find_tools(line, environment), place, found);
  }
  return found;
}

std::vector<FoundUse> read_script(std::string_view text, std::string_view path,
                                  std::string_view period) {
  std::vector<FoundUse> found;
  if (!mentions_tool(text)) return found;
  ToolEnvironment environment;
  const FoundUse place{"cron:" + std::string(path), {}, std::string(period), {}, {}};
  std::string line;
  while (!text.empty()) {
    const auto piece = cut_line(text);
    if (line.empty() && piece.starts_with('#')) continue;
    if (piece.ends_with('\\')) {
      line.append(piece.substr(0, piece.size() - 1)) += ' ';
      continue;
    }
    line.append(piece);
    const std::string whole = std::exchange(line, {});
    read_variable_line(whole, environment);  // "export RESTIC_REPOSITORY=…"
    add_uses(find_tools(whole, environment), place, found);
  }
  return found;
}

Discovery discover(const Root& root) {
  Discovery discovery;
  discover_units(root, discovery);
  discover_cron(root, discovery);
  return discovery;
}

}  // namespace vouch::backup_jobs
