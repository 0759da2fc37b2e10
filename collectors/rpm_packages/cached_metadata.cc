// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/cached_metadata.h"

#include <algorithm>

#include "collectors/facts/expand.h"
#include "collectors/facts/lines.h"

namespace vouch::rpm_packages {
namespace {

constexpr std::size_t kRepomdBytesMax = std::size_t{4} << 20;
constexpr std::size_t kHashDigits = 16;

// dnf puts a hash of the address behind the id.
bool is_of(std::string_view directory, std::string_view id) {
  const std::string_view name = facts::base_name(directory);
  if (name == id) return true;
  return name.size() == id.size() + 1 + kHashDigits && name.starts_with(id) &&
         name[id.size()] == '-' &&
         name.find_first_not_of("0123456789abcdef", id.size() + 1) == name.npos;
}

}  // namespace

MetadataCache::MetadataCache(const Root& root, const ManagerConfig& config) : root_(root) {
  std::vector<std::string> places = {"/var/cache/libdnf5", "/var/cache/dnf"};
  if (config.manager == Manager::zypper) places = {"/var/cache/zypp/raw"};
  if (const auto own = config.main.find("cachedir");
      own != config.main.end() && own->second.starts_with('/')) {
    places.push_back(own->second);
  }
  for (const std::string& place : places) {
    for (const std::string& name : root.list(place).value_or({})) {
      directories_.push_back(place + '/' + name);
    }
  }
}

std::string MetadataCache::find(const Repository& repository) const {
  std::string best;
  WallSeconds fetched = -1;
  for (const std::string& directory : directories_) {
    if (!is_of(directory, repository.id)) continue;
    const auto info = root_.stat(directory + "/repodata/repomd.xml");
    if (!info || info->st_mtim.tv_sec <= fetched) continue;
    fetched = info->st_mtim.tv_sec;
    best = directory + "/repodata";
  }
  return best;
}

Result<CachedMetadata> MetadataCache::read(const Repository& repository) const {
  CachedMetadata cached;
  cached.directory = find(repository);
  if (cached.directory.empty()) {
    return Error{Errc::not_found, "its metadata was never fetched; run `dnf makecache`"};
  }
  const std::string path = cached.directory + "/repomd.xml";
  const auto info = root_.stat(path);
  const auto text = root_.read(path, kRepomdBytesMax);
  if (!info || !text) return info ? text.error() : info.error();
  cached.fetched = info->st_mtim.tv_sec;
  auto repomd = parse_repomd(*text);
  if (!repomd) return Error(repomd.error()).in(path);
  cached.repomd = *std::move(repomd);
  return cached;
}

Status MetadataCache::feed(const CachedMetadata& cached, std::string_view type,
                           MetadataReader& reader) const {
  const Repomd::Data* data = cached.repomd.find(type);
  if (data == nullptr) {
    return Error{Errc::not_found, "the repository has no " + std::string(type)};
  }
  const std::string path = cached.directory + '/' + std::string(facts::base_name(data->location));
  const auto file = root_.open_file(path);
  if (!file) return file.error();
  auto status = facts::expand_file(file->get(), path,
                                   [&](std::string_view piece) { return reader.feed(piece); });
  if (!status) return status;
  status = reader.finish();
  return status ? status : Status(Error(status.error()).in(path));
}

}  // namespace vouch::rpm_packages
