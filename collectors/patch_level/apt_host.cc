// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_host.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "collectors/patch_level/stanza.h"
#include "core/redact.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kStatusBytesMax = std::size_t{64} << 20;
constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;
constexpr std::size_t kReleaseBytesMax = std::size_t{16} << 20;
constexpr std::string_view kNoLists = "no package lists; run apt-get update";

// The files of one of apt's places in apt's order: `directory` by name, `main` before or after.
std::vector<std::string> part_paths(const Root& root, std::string_view directory,
                                    const std::vector<std::string_view>& extensions,
                                    bool may_lack_extension, FileProblems& problems) {
  std::vector<std::string> paths;
  const auto names = root.list(directory);
  if (!names) {
    if (names.error().code != Errc::not_found) {
      problems.push_back({std::string(directory), names.error()});
    }
    return paths;
  }
  for (const std::string& name : *names) {
    const bool is_part = std::any_of(extensions.begin(), extensions.end(), [&](auto extension) {
      return is_apt_part(name, extension, may_lack_extension);
    });
    if (is_part) paths.push_back(std::string(directory) + '/' + name);
  }
  return paths;
}

// The text of each file that is there, to `use`. A file that vanished between listing and reading
// is as good as never there.
template <typename Use>
void read_each(const Root& root, const std::vector<std::string>& paths, FileProblems& problems,
               const Use& use) {
  for (const std::string& path : paths) {
    const auto text = root.read(path, kConfigBytesMax);
    if (text) {
      use(path, *text);
    } else if (text.error().code != Errc::not_found) {
      problems.push_back({path, text.error()});
    }
  }
}

// The first problem says what to repair; the others would be other gaps of the same file.
void add_problem(const std::string& path, const std::vector<std::string>& found,
                 FileProblems& problems) {
  if (!found.empty()) problems.push_back({path, {Errc::invalid, path + ": " + found.front()}});
}

bool moves_directories(std::string_view name) {
  for (const std::string_view moved :
       {"Dir", "RootDir", "Dir::State", "Dir::State::Lists", "Dir::State::Status", "Dir::Etc",
        "Dir::Etc::SourceList", "Dir::Etc::SourceParts", "Dir::Etc::Preferences",
        "Dir::Etc::PreferencesParts"}) {
    if (equal_ignoring_case(name, moved)) return true;
  }
  return false;
}

// Which of the host's architectures the source is used for.
std::vector<std::string> architectures_of(const AptSource& source,
                                          const std::vector<std::string>& host) {
  std::vector<std::string> result;
  const auto is_change = [](const std::string& a) {
    return a.starts_with('+') || a.starts_with('-');
  };
  std::copy_if(source.architectures.begin(), source.architectures.end(), std::back_inserter(result),
               [&](const std::string& a) { return !is_change(a); });
  if (result.empty()) result = host;
  for (const std::string& change : source.architectures) {
    if (change.starts_with('+')) result.push_back(change.substr(1));
    if (change.starts_with('-')) std::erase(result, change.substr(1));
  }
  return result;
}

// The archive's own word that a list has no content, so that apt does not fetch it: its size is 0,
// or the Release file lists other files but not this one.
bool may_be_absent(std::string_view release, std::string_view component, std::string_view arch) {
  if (component.empty()) return false;
  const std::string entry =
      ' ' + std::string(component) + "/binary-" + std::string(arch) + "/Packages\n";
  const auto at = release.find(entry);
  if (at == release.npos) return release.find("/binary-") != release.npos;
  const auto size = release.find_last_of(" \t", at == 0 ? 0 : at - 1);
  return size != release.npos && trim(release.substr(size, at - size)) == "0";
}

std::optional<std::string> find_list(const std::set<std::string, std::less<>>& names,
                                     const std::string& name) {
  for (const std::string_view extension : {"", ".lz4", ".gz", ".xz", ".zst", ".bz2", ".lzma"}) {
    if (names.contains(name + std::string(extension))) return name + std::string(extension);
  }
  return std::nullopt;
}

Error not_fetched(std::string_view what) {
  return {Errc::not_found, std::string(what) + " was not fetched; run apt-get update"};
}

}  // namespace

Result<DpkgStatus> read_dpkg_status(const Root& root, Relations relations) {
  const auto text = root.read(kStatusPath, kStatusBytesMax);
  if (!text) return text.error();
  DpkgStatus status = parse_dpkg_status(*text, relations);
  if (status.packages.empty() && !status.problems.empty()) {
    const Problem& first = status.problems.front();
    return Error{Errc::invalid, std::string(kStatusPath) + ": " + first.message};
  }
  // dpkg folds its journal into the status file when it ends well; files here mean it did not, or
  // that it runs right now.
  const auto updates = root.list("/var/lib/dpkg/updates");
  for (const std::string& name : updates.value_or({})) {
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    const auto update = root.read("/var/lib/dpkg/updates/" + name, kStatusBytesMax);
    if (update) {
      apply_update(status, parse_dpkg_status(*update, relations));
    } else if (update.error().code != Errc::not_found) {
      status.problems.push_back({"/var/lib/dpkg/updates/" + name, update.error().message});
    }
  }
  return status;
}

AptConfig read_apt_config(const Root& root, FileProblems& problems) {
  AptConfig config;
  auto paths = part_paths(root, "/etc/apt/apt.conf.d", {"conf"}, true, problems);
  paths.emplace_back("/etc/apt/apt.conf");
  read_each(root, paths, problems, [&](const std::string& path, const std::string& text) {
    if (auto status = config.read(text); !status) {
      problems.push_back({path, std::move(status).error().in(path)});
    }
  });
  for (const AptConfig::Item& item : config.items()) {
    if (moves_directories(item.name)) {
      problems.push_back({item.name, {Errc::unsupported, item.name + " moves apt's directories"}});
    }
  }
  return config;
}

std::vector<AptSource> read_apt_sources(const Root& root, FileProblems& problems) {
  std::vector<AptSource> sources;
  std::vector<std::string> paths = {"/etc/apt/sources.list"};
  const auto parts =
      part_paths(root, "/etc/apt/sources.list.d", {"list", "sources"}, false, problems);
  paths.insert(paths.end(), parts.begin(), parts.end());
  read_each(root, paths, problems, [&](const std::string& path, const std::string& text) {
    auto parsed = path.ends_with(".sources") ? parse_deb822_sources(text, path)
                                             : parse_sources_list(text, path);
    std::move(parsed.sources.begin(), parsed.sources.end(), std::back_inserter(sources));
    add_problem(path, parsed.problems, problems);
  });
  return sources;
}

std::vector<Pin> read_preferences(const Root& root, FileProblems& problems) {
  std::vector<Pin> pins;
  std::vector<std::string> paths = {"/etc/apt/preferences"};
  const auto parts = part_paths(root, "/etc/apt/preferences.d", {"pref"}, true, problems);
  paths.insert(paths.end(), parts.begin(), parts.end());
  read_each(root, paths, problems, [&](const std::string& path, const std::string& text) {
    auto parsed = parse_preferences(text);
    for (Pin& pin : parsed.pins) pin.file = path;
    std::move(parsed.pins.begin(), parsed.pins.end(), std::back_inserter(pins));
    add_problem(path, parsed.problems, problems);
  });
  return pins;
}

std::vector<std::string> architectures(const Root& root, const DpkgStatus& status,
                                       const AptConfig& config) {
  std::vector<std::string> result;
  const auto add = [&](std::string name) {
    if (!name.empty() && std::find(result.begin(), result.end(), name) == result.end()) {
      result.push_back(std::move(name));
    }
  };
  add(config.get("APT::Architecture", native_architecture(status)));
  if (result.empty()) {  // An image without dpkg itself: what most of its packages are for.
    std::map<std::string, int> counts;
    for (const DebPackage& package : status.packages) {
      if (package.arch != "all") ++counts[package.arch];
    }
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != counts.end()) add(most->first);
  }
  const auto configured = config.list("APT::Architectures");
  if (!configured.empty()) {
    for (const std::string& name : configured) add(name);
    return result;
  }
  const std::string foreign = root.read("/var/lib/dpkg/arch", kConfigBytesMax).value_or("");
  for (const auto name : words(foreign)) add(std::string(name));
  return result;
}

FileProblem list_problem(const AptSource& source, std::string path, Error error) {
  if (source.uri.find_first_of("?#") == std::string::npos)
    return {std::move(path), std::move(error)};
  const std::string place = redact(Redaction::url, source.uri) + ' ' + source.suite;
  return {place, {error.code, "its lists are not there or cannot be read; run apt-get update"}};
}

Result<FetchedSuite> read_suite(const Root& root, const AptSource& source,
                                std::string_view native) {
  FetchedSuite suite;
  const std::string prefix = std::string(kListsPath) + '/' + list_prefix(source, native);
  suite.path = prefix + "InRelease";
  auto text = root.read(suite.path, kReleaseBytesMax);
  if (text) {
    suite.is_signed = text->starts_with("-----BEGIN PGP SIGNED MESSAGE-----");
  } else if (text.error().code == Errc::not_found) {
    suite.path = prefix + "Release";
    text = root.read(suite.path, kReleaseBytesMax);
    suite.is_signed = root.exists(prefix + "Release.gpg");
  }
  if (!text) {
    if (text.error().code == Errc::not_found) return not_fetched("the Release file");
    return text.error();
  }
  suite.text = *std::move(text);
  auto release = parse_release(suite.text);
  if (!release) return std::move(release).error().in(suite.path);
  suite.release = *std::move(release);
  const auto info = root.stat(suite.path);
  if (!info) return info.error();
  // apt touches the file's inode whenever it confirms it and leaves the archive's time as its
  // mtime. In an image the inode's time is that of the copy.
  suite.fetched = root.is_host() ? info->st_ctim.tv_sec : info->st_mtim.tv_sec;
  return suite;
}

Result<FetchedLists> find_lists(const Root& root, const std::vector<AptSource>& sources,
                                const std::vector<std::string>& architectures) {
  const auto entries = root.list(kListsPath);
  if (!entries) {
    if (entries.error().code != Errc::not_found) return entries.error();
    return Error{Errc::not_found, std::string(kNoLists)};
  }
  const std::set<std::string, std::less<>> names(entries->begin(), entries->end());
  const std::string native = architectures.empty() ? "" : architectures.front();
  FetchedLists result;
  std::set<std::string> seen;  // A list that two sources name is one to apt.
  for (const AptSource& source : sources) {
    if (source.type != "deb" || !source.enabled) continue;
    const std::string prefix = list_prefix(source, native);
    const auto suite = read_suite(root, source, native);
    if (!suite) {
      result.problems.push_back(list_problem(
          source, std::string(kListsPath) + '/' + prefix + "InRelease", suite.error()));
      continue;
    }
    const bool is_flat = source.suite.ends_with('/');
    auto wanted = is_flat ? std::vector<std::string>{""} : architectures_of(source, architectures);
    if (!is_flat) wanted.emplace_back("all");
    for (const std::string& component :
         is_flat ? std::vector<std::string>{""} : source.components) {
      for (const std::string& arch : wanted) {
        const std::string name = prefix + packages_name(component, arch);
        if (!seen.insert(name).second) continue;
        if (const auto found = find_list(names, name)) {
          result.lists.push_back({std::string(kListsPath) + '/' + *found,
                                  {suite->release, component, arch, site_of(source.uri), false},
                                  &source});
        } else if ((is_flat || arch == native) && !may_be_absent(suite->text, component, arch)) {
          result.problems.push_back(list_problem(source, std::string(kListsPath) + '/' + name,
                                                 not_fetched("the package list")));
        }
      }
    }
  }
  if (result.lists.empty()) return Error{Errc::not_found, std::string(kNoLists)};
  return result;
}

}  // namespace vouch::patch_level
