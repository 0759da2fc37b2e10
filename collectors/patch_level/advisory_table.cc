// SPDX-License-Identifier: Apache-2.0
// Known vulnerabilities of what is installed, by the feeds that the site brings onto the host.
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/advisories.h"
#include "collectors/patch_level/apt_host.h"
#include "collectors/patch_level/input_token.h"
#include "collectors/patch_level/os_release.h"
#include "collectors/patch_level/tables.h"
#include "collectors/sdk/context.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kOsReleaseBytesMax = std::size_t{64} << 10;

Result<FeedRelease> feed_release(const Root& root) {
  auto text = root.read("/etc/os-release", kOsReleaseBytesMax);
  if (!text) text = root.read("/usr/lib/os-release", kOsReleaseBytesMax);
  if (!text) return text.error();
  const auto release = parse_os_release(*text);
  if (!release) return release.error();
  FeedRelease result;
  result.codename = release->codename.value_or("");
  const std::string version = release->version_id.value_or("");
  if (release->id == "debian") result.ecosystem = "Debian:" + version;
  if (release->id == "ubuntu") result.ecosystem = "Ubuntu:" + version;
  if (result.ecosystem.empty())
    return Error{Errc::unsupported, "feeds are read for Debian and Ubuntu only"};
  return result;
}

std::string joined(const std::set<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ",") + name;
  return result;
}

std::string token_of(const sdk::Context& context, const std::vector<std::string>& paths) {
  InputToken token(context.root(), context.now());
  token.add_file(kStatusPath);
  token.add_directory("/var/lib/dpkg/updates");
  token.add_file("/etc/os-release");
  for (const std::string& path : paths) token.add_file(path);
  return token.text();
}

Result<FeedResult> open_and_read(const Root& root, const std::string& path,
                                 const InstalledSources& installed, const FeedRelease& release) {
  const auto file = root.open_file(path);
  if (!file) return file.error();
  return read_feed(file->get(), installed, release);
}

}  // namespace

Status collect_vulnerabilities(sdk::Context& context, sdk::Rows& rows) {
  const auto paths = context.texts_option("advisories", {});
  if (paths.empty())
    return Error{Errc::not_found, "no feed is configured: option advisories names the files"};
  const auto token = token_of(context, paths);
  if (!token.empty() && rows.unchanged(token)) return Ok{};
  const Root& root = context.root();
  const auto status = read_dpkg_status(root);
  if (!status) return status.error();
  const auto release = feed_release(root);
  if (!release) return release.error();
  const InstalledSources installed = sources_of(*status);
  for (const std::string& path : paths) {
    const auto feed = open_and_read(root, path, installed, *release);
    if (!feed) {
      rows.gap(path, feed.error());
      continue;
    }
    std::set<std::pair<std::string, std::string>> seen;
    for (const Vulnerability& found : feed->vulnerabilities) {
      if (!seen.insert({found.source, found.cve}).second) continue;
      const InstalledSource& source = installed.find(found.source)->second;
      sdk::Cell fixed(nullptr);
      if (found.fixed_version) fixed = *found.fixed_version;
      rows.add({found.source, found.cve, path, source.version, fixed, found.urgency,
                joined(source.packages)});
    }
  }
  for (const Problem& problem : status->problems) {
    rows.gap(problem.object, {Errc::invalid, problem.message});
  }
  return Ok{};
}

Status collect_advisory_feeds(sdk::Context& context, sdk::Rows& rows) {
  for (const std::string& path : context.texts_option("advisories", {})) {
    const auto info = context.root().stat(path);
    if (info) {
      rows.add({path, static_cast<std::int64_t>(info->st_mtim.tv_sec), info->st_size});
    } else {
      rows.gap(path, info.error());
    }
  }
  return Ok{};
}

}  // namespace vouch::patch_level
