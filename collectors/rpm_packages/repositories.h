// SPDX-License-Identifier: Apache-2.0
// What dnf and zypper are told: their settings, their repositories, and what may not be updated.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::rpm_packages {

enum class Manager { dnf, zypper };

struct Repository {
  std::string source;  // File.
  std::string id;
  std::string name;
  std::string address;  // The first of baseurl, mirrorlist, metalink.
  bool enabled = true;
  bool gpgcheck = false;       // Packages must be signed.
  bool repo_gpgcheck = false;  // The list of packages must be signed.
  bool sslverify = true;
  std::string keys;  // Addresses of gpgkey, separated by blanks.
  int priority = 99;
  std::vector<std::string> excludes;
  std::vector<std::string> includes;  // If any, only these are taken.
};

// A version lock: packages of this name are taken only if they fit one of the patterns of it.
struct VersionLock {
  std::string pattern;
  bool is_excluded = false;  // "!": what fits is not taken.
};

struct ManagerConfig {
  Manager manager = Manager::dnf;
  std::map<std::string, std::string, std::less<>> main;  // [main] of dnf.conf and what adds to it.
  std::vector<Repository> repositories;                  // In order of source and place in it.
  std::vector<std::string> excludes;
  std::vector<std::string> includes;
  std::vector<VersionLock> locks;
  std::string locks_source;
  std::vector<std::string> zypper_locks;            // Names and patterns of names.
  std::vector<std::pair<std::string, Error>> gaps;  // What could not be read, by its path.
};

// Errc::not_found: neither dnf (or yum) nor zypper is configured here.
Result<ManagerConfig> read_manager_config(const Root& root);

// The repositories that one .repo file declares. `main` gives the defaults.
std::vector<Repository> parse_repositories(
    std::string_view text, const std::string& source,
    const std::map<std::string, std::string, std::less<>>& main);

std::vector<VersionLock> parse_version_locks(std::string_view text);
// Names that /etc/zypp/locks keeps; its entries are separated by empty lines.
std::vector<std::string> parse_zypper_locks(std::string_view text);

}  // namespace vouch::rpm_packages
