// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/repositories.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "collectors/facts/lines.h"
#include "collectors/rpm_packages/ini_file.h"

namespace vouch::rpm_packages {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

constexpr std::size_t kFileBytesMax = std::size_t{4} << 20;
constexpr std::string_view kDnfConf = "/etc/dnf/dnf.conf";

// The first of the names that is set, in the section or else in [main].
const std::string* find_value(const IniSection& section, const Values& main,
                              std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (const std::string* value = section.find(name)) return value;
  }
  for (const auto name : names) {
    if (const auto found = main.find(name); found != main.end()) return &found->second;
  }
  return nullptr;
}

bool flag(const IniSection& section, const Values& main,
          std::initializer_list<std::string_view> names, bool fallback) {
  const std::string* value = find_value(section, main, names);
  return value == nullptr ? fallback : ini_boolean(*value).value_or(fallback);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

Repository make_repository(const IniSection& section, const std::string& source,
                           const Values& main) {
  Repository repository;
  repository.source = source;
  repository.id = section.name;
  if (const auto* name = section.find("name")) repository.name = *name;
  for (const std::string_view kind : {"baseurl", "mirrorlist", "metalink"}) {
    const auto* value = section.find(kind);
    const auto addresses = value == nullptr ? std::vector<std::string>() : ini_list(*value);
    if (repository.address.empty() && !addresses.empty()) repository.address = addresses.front();
  }
  repository.enabled = flag(section, {}, {"enabled"}, true);
  repository.gpgcheck = flag(section, main, {"pkg_gpgcheck", "gpgcheck"}, false);
  repository.repo_gpgcheck = flag(section, main, {"repo_gpgcheck"}, false);
  repository.sslverify = flag(section, main, {"sslverify"}, true);
  if (const auto* keys = section.find("gpgkey")) repository.keys = join(ini_list(*keys));
  if (const auto* text = section.find("priority")) {
    int number = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (code == std::errc() && end == text->data() + text->size()) repository.priority = number;
  }
  if (const auto* list = find_value(section, {}, {"excludepkgs", "exclude"})) {
    repository.excludes = ini_list(*list);
  }
  if (const auto* list = section.find("includepkgs")) repository.includes = ini_list(*list);
  return repository;
}

class Reader {
 public:
  Reader(const Root& root, ManagerConfig& config) : root_(root), config_(config) {}

  std::optional<std::string> read(const std::string& path) {
    auto text = root_.read(path, kFileBytesMax);
    if (text) return *std::move(text);
    if (text.error().code != Errc::not_found) config_.gaps.emplace_back(path, text.error());
    return std::nullopt;
  }

  std::vector<std::string> files(const std::string& directory, std::string_view suffix) {
    std::vector<std::string> paths;
    const auto names = root_.list(directory);
    if (!names) {
      if (names.error().code != Errc::not_found)
        config_.gaps.emplace_back(directory, names.error());
      return paths;
    }
    for (const std::string& name : *names) {
      if (name.ends_with(suffix) && name.front() != '.') paths.push_back(directory + '/' + name);
    }
    return paths;
  }

  void add_main(const std::string& path) {
    const auto text = read(path);
    if (!text) return;
    const IniFile file = parse_ini(*text);
    note_faults(path, file);
    if (const IniSection* main = file.find("main")) {
      for (const auto& [name, value] : main->values) config_.main[name] = value;
    }
  }

  void add_repositories(const std::string& path) {
    const auto text = read(path);
    if (!text) return;
    note_faults(path, parse_ini(*text));
    for (Repository& repository : parse_repositories(*text, path, config_.main)) {
      config_.repositories.push_back(std::move(repository));
    }
  }

  // dnf5: sections whose name fits a repository change it.
  void override_repositories(const std::string& path) {
    const auto text = read(path);
    if (!text) return;
    for (const IniSection& section : parse_ini(*text).sections) {
      for (Repository& repository : config_.repositories) {
        if (::fnmatch(section.name.c_str(), repository.id.c_str(), 0) != 0) continue;
        repository.enabled = flag(section, {}, {"enabled"}, repository.enabled);
        repository.gpgcheck = flag(section, {}, {"pkg_gpgcheck", "gpgcheck"}, repository.gpgcheck);
        if (const auto* list = section.find("excludepkgs")) repository.excludes = ini_list(*list);
      }
    }
  }

 private:
  void note_faults(const std::string& path, const IniFile& file) {
    if (file.faults.empty()) return;
    config_.gaps.emplace_back(path,
                              Error{Errc::invalid, "line " + std::to_string(file.faults.front()) +
                                                       ": neither section nor NAME = VALUE"});
  }

  const Root& root_;
  ManagerConfig& config_;
};

void read_locks(const Root& root, Reader& reader, ManagerConfig& config) {
  const auto plugin = reader.read("/etc/dnf/plugins/versionlock.conf");
  const IniFile file = parse_ini(plugin.value_or(""));
  const IniSection* main = file.find("main");
  const auto* enabled = main == nullptr ? nullptr : main->find("enabled");
  const bool is_on = enabled != nullptr && ini_boolean(*enabled).value_or(false);
  const auto* list = main == nullptr ? nullptr : main->find("locklist");
  config.locks_source = list == nullptr ? "/etc/dnf/plugins/versionlock.list" : *list;
  if (is_on) config.locks = parse_version_locks(reader.read(config.locks_source).value_or(""));
  const auto newer = root.read("/etc/dnf/versionlock.toml", kFileBytesMax);
  if (newer && newer->find("[[packages]]") != newer->npos) {
    config.gaps.emplace_back("/etc/dnf/versionlock.toml",
                             Error{Errc::unsupported, "locks of dnf5 are not evaluated"});
  }
}

std::vector<std::string> list_of(const Values& main,
                                 std::initializer_list<std::string_view> names) {
  const std::string* value = find_value({}, main, names);
  return value == nullptr ? std::vector<std::string>() : ini_list(*value);
}

void read_dnf(const Root& root, Reader& reader, ManagerConfig& config) {
  for (const char* directory : {"/usr/share/dnf5/libdnf.conf.d", "/etc/dnf/libdnf5.conf.d"}) {
    for (const auto& path : reader.files(directory, ".conf")) reader.add_main(path);
  }
  reader.add_main(root.exists(kDnfConf) ? std::string(kDnfConf) : "/etc/yum.conf");
  auto directories = list_of(config.main, {"reposdir"});
  if (directories.empty()) {
    directories = {"/etc/yum.repos.d", "/etc/distro.repos.d", "/usr/share/dnf5/repos.d"};
  }
  for (const std::string& directory : directories) {
    for (const auto& path : reader.files(directory, ".repo")) reader.add_repositories(path);
  }
  for (const char* directory : {"/usr/share/dnf5/repos.override.d", "/etc/dnf/repos.override.d"}) {
    for (const auto& path : reader.files(directory, ".repo")) reader.override_repositories(path);
  }
  config.excludes = list_of(config.main, {"excludepkgs", "exclude"});
  config.includes = list_of(config.main, {"includepkgs"});
  read_locks(root, reader, config);
}

void read_zypper(Reader& reader, ManagerConfig& config) {
  config.manager = Manager::zypper;
  config.main["gpgcheck"] = "1";  // Its own default.
  reader.add_main("/etc/zypp/zypp.conf");
  for (const auto& path : reader.files("/etc/zypp/repos.d", ".repo")) reader.add_repositories(path);
  config.zypper_locks = parse_zypper_locks(reader.read("/etc/zypp/locks").value_or(""));
}

}  // namespace

std::vector<Repository> parse_repositories(std::string_view text, const std::string& source,
                                           const Values& main) {
  std::vector<Repository> repositories;
  for (const IniSection& section : parse_ini(text).sections) {
    if (section.name != "main") repositories.push_back(make_repository(section, source, main));
  }
  return repositories;
}

std::vector<VersionLock> parse_version_locks(std::string_view text) {
  std::vector<VersionLock> locks;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view word = facts::take_word(line);
    if (word.empty() || word.front() == '#') return;
    const bool is_excluded = word.front() == '!';
    locks.push_back({std::string(word.substr(is_excluded ? 1 : 0)), is_excluded});
  });
  return locks;
}

std::vector<std::string> parse_zypper_locks(std::string_view text) {
  std::vector<std::string> names;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view name = facts::take_word(line);
    const std::string_view value = facts::take_word(line);
    if (name == "solvable_name:" && !value.empty()) names.emplace_back(value);
  });
  return names;
}

Result<ManagerConfig> read_manager_config(const Root& root) {
  ManagerConfig config;
  Reader reader(root, config);
  if (root.exists(kDnfConf) || root.exists("/etc/yum.repos.d")) {
    read_dnf(root, reader, config);
  } else if (root.exists("/etc/zypp/repos.d")) {
    read_zypper(reader, config);
  } else {
    return Error{Errc::not_found, "neither dnf nor zypper is configured here"};
  }
  return config;
}

}  // namespace vouch::rpm_packages
