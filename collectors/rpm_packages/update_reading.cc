// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/update_reading.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>

#include "collectors/rpm_packages/cached_metadata.h"
#include "collectors/rpm_packages/rpm_database.h"
#include "core/version_compare.h"

namespace vouch::rpm_packages {
namespace {

using sdk::Context;

constexpr WallSeconds kSettledAfterS = 2;

// What the rows of the updates are made from, by its stat; empty: something was written just now.
class StatToken {
 public:
  StatToken(const Root& root, WallSeconds now) : root_(root), now_(now) {}

  void add(const std::string& path) {
    const auto info = root_.stat(path);
    text_ += path;
    if (!info) {
      text_ += " -\n";
      return;
    }
    is_recent_ = is_recent_ || std::abs(now_ - info->st_ctim.tv_sec) <= kSettledAfterS;
    text_ += fmt::format(" {} {} {} {}.{}\n", info->st_dev, info->st_ino, info->st_size,
                         info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
  }
  [[nodiscard]] std::string text() const {
    constexpr std::size_t kTokenBytesMax = 60000;
    return is_recent_ || text_.size() > kTokenBytesMax ? std::string() : text_;
  }

 private:
  const Root& root_;
  WallSeconds now_;
  bool is_recent_ = false;
  std::string text_ = "updates 1\n";
};

std::string token_of(Context& context, const ManagerConfig& config, const MetadataCache& cache,
                     const DatabasePlace& place) {
  StatToken token(context.root(), context.now());
  for (const char* path :
       {"/etc/dnf/dnf.conf", "/etc/yum.conf", "/etc/dnf/versionlock.toml",
        "/etc/dnf/plugins/versionlock.conf", "/etc/zypp/locks", "/etc/zypp/zypp.conf",
        "/usr/share/dnf5/libdnf.conf.d", "/etc/dnf/libdnf5.conf.d",
        "/usr/share/dnf5/repos.override.d", "/etc/dnf/repos.override.d"}) {
    token.add(path);
  }
  token.add(config.locks_source);
  token.add(place.file);
  token.add(place.file + "-wal");
  for (const Repository& repository : config.repositories) {
    token.add(repository.source);
    if (repository.enabled) token.add(cache.find(repository) + "/repomd.xml");
  }
  return token.text();
}

ListedPackage listed(const RpmPackage& package) {
  return {package.name,    package.arch,    std::to_string(package.epoch.value_or(0)),
          package.version, package.release, package.vendor};
}

// Reads one repository into the finder.
Status read_repository(const MetadataCache& cache, const Repository& repository, std::size_t number,
                       UpdateFinder& finder) {
  const auto cached = cache.read(repository);
  if (!cached) return cached.error();
  MetadataReader packages([&](const ListedPackage& package) { finder.take(number, package); });
  auto status = cache.feed(*cached, "primary", packages);
  if (!status) return status;
  if (cached->repomd.find("updateinfo") == nullptr) return Ok{};
  MetadataReader advisories([&](const Advisory& advisory) { finder.take(advisory); });
  return cache.feed(*cached, "updateinfo", advisories);
}

// The newest of each name and architecture.
facts::InstalledVersions newest_of(const std::vector<ListedPackage>& installed) {
  facts::InstalledVersions versions;
  for (const ListedPackage& package : installed) {
    std::string evr = evr_text(package.epoch, package.version, package.release);
    std::string& newest = versions[{package.name, package.arch}];
    const bool is_newer = newest.empty() || version_compare(VersionScheme::rpm, evr, newest) > 0;
    if (is_newer) newest = std::move(evr);
  }
  return versions;
}

Result<Updates> read_updates(Context& context) {
  const auto place = find_database(context.root());
  if (!place) return place.error();
  const auto& read_config = config_of(context);
  if (!read_config) return read_config.error();
  const ManagerConfig& config = *read_config;
  const MetadataCache cache(context.root(), config);
  std::vector<ListedPackage> installed;
  const auto status = read_database(context.root(), *place, [&](const RpmPackage& package) {
    if (package.arch != "(none)") installed.push_back(listed(package));
  });
  if (!status) return status.error();
  UpdateFinder finder(config, installed);
  Updates updates;
  updates.gaps = config.gaps;
  bool has_any = false;
  for (std::size_t i = 0; i < config.repositories.size(); ++i) {
    const Repository& repository = config.repositories[i];
    if (!repository.enabled) continue;
    const auto read = read_repository(cache, repository, i, finder);
    has_any = has_any || read.has_value();
    if (!read) updates.gaps.emplace_back(repository.id, read.error());
  }
  if (!has_any) {
    return Error{Errc::not_found, "no enabled repository's metadata can be read: nothing is known"};
  }
  if (finder.has_modules()) {
    updates.gaps.emplace_back(
        "modules", Error{Errc::unsupported, "updates of packages in modules are not evaluated"});
  }
  updates.found = finder.find();
  updates.installed = newest_of(installed);
  return updates;
}

}  // namespace

const Result<ManagerConfig>& config_of(Context& context) {
  return context.once([&] { return read_manager_config(context.root()); });
}

Result<std::string> updates_token(Context& context) {
  const auto place = find_database(context.root());
  if (!place) return place.error();
  const auto& config = config_of(context);
  if (!config) return config.error();
  return token_of(context, *config, MetadataCache(context.root(), *config), *place);
}

const Result<Updates>& updates_of(Context& context) {
  // Shared, since what is kept for a run must be copyable.
  return *context.once([&] { return std::make_shared<Result<Updates>>(read_updates(context)); });
}

}  // namespace vouch::rpm_packages
