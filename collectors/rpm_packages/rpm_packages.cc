// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/rpm_packages.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "collectors/rpm_packages/reboot_table.h"
#include "collectors/rpm_packages/rpm_database.h"
#include "collectors/rpm_packages/update_tables.h"
#include "collectors/sdk/context.h"

namespace vouch::rpm_packages {
namespace {

constexpr WallSeconds kSettledAfterS = 2;

// The database and what SQLite keeps beside it. Empty: it was written just now, and may be written
// again within the same tick of its time stamp.
std::string token_of(const Root& root, const DatabasePlace& place, WallSeconds now) {
  std::string token = place.file;
  for (const std::string_view suffix : {"", "-wal"}) {
    const auto info = root.lstat(place.file + std::string(suffix));
    if (!info) continue;
    if (std::abs(now - info->st_mtim.tv_sec) <= kSettledAfterS) return {};
    token += fmt::format(" {} {} {} {}.{} {}.{}", info->st_dev, info->st_ino, info->st_size,
                         info->st_mtim.tv_sec, info->st_mtim.tv_nsec, info->st_ctim.tv_sec,
                         info->st_ctim.tv_nsec);
  }
  return token;
}

sdk::Cell text_or_null(const std::string& text) {
  return text.empty() ? sdk::Cell(nullptr) : sdk::Cell(text);
}

Status collect(sdk::Context& context, sdk::Rows& rows) {
  const auto place = find_database(context.root());
  if (!place) return place.error();
  const auto token = token_of(context.root(), *place, context.now());
  if (!token.empty() && rows.unchanged(token)) return Ok{};
  return read_database(context.root(), *place, [&](const RpmPackage& package) {
    rows.add({package.name, package.arch, package.version, package.release, package.epoch,
              text_or_null(package.source_rpm), text_or_null(package.vendor),
              text_or_null(package.key_id), package.installed});
  });
}

}  // namespace

sdk::Collector make_rpm_packages() {
  std::vector<sdk::Table> tables = {
      {.name = "rpm_packages",
       .title = "Packages that the RPM database has as installed",
       .columns = {sdk::text("name", "Package").key(),
                   sdk::text("arch", "Architecture; (none) for keys").key(),
                   sdk::text("version", "Version").key(), sdk::text("release", "Release").key(),
                   sdk::occurrence(),
                   sdk::integer("epoch", "Epoch").nullable("none, which counts as 0"),
                   sdk::text("source_rpm", "Source package").nullable("none named"),
                   sdk::text("vendor", "Vendor").nullable("none named"),
                   sdk::text("key_id", "Key that signed it").nullable("not signed"),
                   sdk::time("installed", "When it was installed")},
       .collect = collect}};
  for (sdk::Table& table : update_tables()) tables.push_back(std::move(table));
  tables.push_back(reboot_table());
  return {.name = "rpm_packages",
          .title = "Packages of an RPM system, their updates and repositories",
          .interval_s = 3600,
          .deadline_s = 60,
          .needs_cache_dir = true,
          .tables = std::move(tables)};
}

}  // namespace vouch::rpm_packages
