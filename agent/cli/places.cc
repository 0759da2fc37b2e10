// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/places.h"

#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/vouchd/direct_runner.h"
#include "core/clock.h"
#include "core/file.h"
#include "proto/names.h"

namespace vouch::cli {
namespace {

constexpr std::size_t kDirectoryEntriesMax = 10'000;
constexpr std::size_t kTablesBytesMax = 1u << 20;
constexpr int kParentsMax = 4;

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

// The directory of the running program; empty if /proc is not there.
std::string program_directory() {
  std::array<char, PATH_MAX> path{};
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return {};
  return parent(std::string(path.data(), static_cast<std::size_t>(size)));
}

std::string installed_policies(const std::string& directory) {
  return parent(directory) + "/share/vouch/policies";
}

std::string find_policies(const std::string& directory) {
  if (const auto installed = installed_policies(directory); is_directory(installed)) {
    return installed;
  }
  auto above = directory;
  for (int i = 0; i < kParentsMax && above != "/"; ++i) {
    above = parent(above);
    if (file_exists(above + "/policies/tables.yaml")) return above + "/policies";
  }
  return {};
}

// Installed, they have a directory of their own, which an auditor's machine lacks: what else is in
// /usr/bin is no collector. In a build they stand beside our own programs.
Result<std::vector<agent::CollectorConfig>> find_collectors(const std::string& directory) {
  const bool is_installed = is_directory(installed_policies(directory));
  const auto where = is_installed ? parent(directory) + "/libexec/vouch/collectors" : directory;
  if (!is_directory(where)) return std::vector<agent::CollectorConfig>();
  auto names = list_directory(where, kDirectoryEntriesMax);
  if (!names) return std::move(names).error();
  std::vector<agent::CollectorConfig> collectors;
  for (const auto& name : *names) {
    agent::CollectorConfig collector;
    collector.name = name;
    collector.program = where + "/" + name;
    const bool executable = ::access(collector.program.c_str(), X_OK) == 0;
    if (!is_plain_name(name) || name.starts_with("vouch") || !executable ||
        is_directory(collector.program)) {
      continue;
    }
    collectors.push_back(std::move(collector));
  }
  return collectors;
}

}  // namespace

Result<Places> find_places(const Arguments& arguments) {
  Places places;
  if (const auto root = arguments.value("--root"); root && !is_directory(*root)) {
    return Error{Errc::not_found, "--root " + *root + ": there is no such directory"};
  }
  const auto directory = program_directory();
  places.policies = find_policies(directory);
  if (const auto file = arguments.value("--config")) {
    places.config_file = *file;
  } else if (file_exists(std::string(kDefaultConfig))) {
    places.config_file = kDefaultConfig;
  }
  if (!places.config_file.empty()) {
    auto config = agent::load_config(places.config_file, ::geteuid());
    if (!config) return std::move(config).error();
    places.config = *std::move(config);
  } else {
    auto collectors = find_collectors(directory);
    if (!collectors) return std::move(collectors).error().in("find collectors");
    places.config.collectors = *std::move(collectors);
    places.config.packs.clear();
    if (!places.policies.empty()) places.config.packs = {places.policies + "/packs"};
  }
  if (const auto packs = arguments.values("--pack"); !packs.empty()) places.config.packs = packs;
  return places;
}

int fail_configuration(const Error& error, const Output& output) {
  const int code = output.fail(error);
  return code == kExitData ? kExitConfig : code;
}

Result<std::vector<agent::Collector>> load_collectors(const Places& places) {
  if (places.config.collectors.empty()) {
    return Error{Errc::not_found,
                 places.config_file.empty()
                     ? "there are no collectors beside the program, nor in ../libexec/vouch/"
                       "collectors: name a configuration with --config FILE"
                     : places.config_file + ": no collector is configured"};
  }
  const SystemClock clock;
  agent::DirectRunner runner(clock);
  return agent::load_collectors(places.config, runner, nullptr);
}

Result<policy::PackSet> load_packs(const Places& places) {
  if (places.config.packs.empty()) {
    return Error{Errc::not_found,
                 "there are no packs: name them with --pack PATH, or a configuration with "
                 "--config FILE"};
  }
  return policy::load_pack_set(places.config.packs);
}

Result<policy::FrameworkLibrary> load_frameworks(const Places& places) {
  if (places.policies.empty()) {
    return Error{Errc::not_found, "there is no policies directory: the package is incomplete"};
  }
  return policy::load_framework_library(places.policies);
}

Result<policy::Catalog> load_tables(const Places& places) {
  if (places.policies.empty()) {
    return Error{Errc::not_found, "there is no policies directory: the package is incomplete"};
  }
  const auto path = places.policies + "/tables.yaml";
  auto text = read_file(path, kTablesBytesMax);
  if (!text) return std::move(text).error();
  return policy::load_catalog(*text, path);
}

}  // namespace vouch::cli
