// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/reboot_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "collectors/facts/lines.h"
#include "collectors/rpm_packages/repo_metadata.h"
#include "collectors/rpm_packages/rpm_database.h"
#include "collectors/sdk/context.h"

namespace vouch::rpm_packages {
namespace {

constexpr std::size_t kStatBytesMax = std::size_t{4} << 20;

Status collect(sdk::Context& context, sdk::Rows& rows) {
  const auto place = find_database(context.root());
  if (!place) return place.error();
  if (!context.is_host()) return Error{Errc::unsupported, "an image was not booted"};
  for (const char* mark : {"/run/systemd/container", "/.dockerenv", "/run/.containerenv"}) {
    if (context.root().exists(mark)) {
      return Error{Errc::unsupported, "a container does not know when it was started"};
    }
  }
  const auto stat = context.root().read("/proc/stat", kStatBytesMax);
  if (!stat) return stat.error();
  const auto booted = boot_time(*stat);
  if (!booted) return Error{Errc::invalid, "/proc/stat does not say when the kernel was started"};
  return read_database(context.root(), *place, [&](const RpmPackage& package) {
    if (package.installed <= *booted || !needs_reboot(package.name)) return;
    rows.add({package.name, package.arch,
              evr_text(std::to_string(package.epoch.value_or(0)), package.version, package.release),
              package.installed});
  });
}

}  // namespace

bool needs_reboot(std::string_view package) {
  constexpr std::array<std::string_view, 13> kNames = {
      "kernel",         "kernel-core",    "kernel-rt",   "kernel-rt-core", "glibc",
      "linux-firmware", "systemd",        "dbus",        "dbus-broker",    "dbus-daemon",
      "microcode_ctl",  "kernel-default", "openssl-libs"};
  return std::find(kNames.begin(), kNames.end(), package) != kNames.end();
}

std::optional<WallSeconds> boot_time(std::string_view stat) {
  std::optional<WallSeconds> booted;
  facts::each_line(stat, [&](std::string_view line, int) {
    if (facts::take_word(line) != "btime") return;
    const std::string_view number = facts::take_word(line);
    WallSeconds second = 0;
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), second);
    if (code == std::errc() && end == number.data() + number.size() && second > 0) booted = second;
  });
  return booted;
}

sdk::Table reboot_table() {
  return {.name = "rpm_reboot_reasons",
          .title = "Packages that a reboot puts into use, installed since the last one",
          .columns = {sdk::text("name", "Package").key(), sdk::text("arch", "Architecture").key(),
                      sdk::text("version", "[epoch:]version-release").key(), sdk::occurrence(),
                      sdk::time("installed", "When it was installed")},
          .collect = collect};
}

}  // namespace vouch::rpm_packages
