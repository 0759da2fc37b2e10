// SPDX-License-Identifier: Apache-2.0
// The tables apparmor_profiles, selinux_settings, boot_loaders and block_devices.
#include <string>

#include "collectors/config_drift/block_devices.h"
#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/firewall_files.h"
#include "collectors/config_drift/protection.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kConfigBytesMax = 4 << 20;

Status collect_apparmor(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no loaded profiles"};
  const auto found = read_apparmor_profiles(context.root());
  if (!found) {
    // A kernel without AppArmor has no profile: that is the whole truth.
    return found.error().code == Errc::not_found ? Status(Ok{}) : Status(found.error());
  }
  for (const auto& [path, error] : found->gaps) rows.gap(path, error);
  for (const AppArmorProfile& profile : found->profiles) rows.add({profile.name, profile.mode});
  return Ok{};
}

Status collect_selinux(Context& context, Rows& rows) {
  const Root& root = context.root();
  const auto config = root.read("/etc/selinux/config", kConfigBytesMax);
  if (config) {
    for (const std::string name : {"SELINUX", "SELINUXTYPE"}) {
      const std::string value = facts::lower_case(shell_value(*config, name));
      if (!value.empty()) rows.add({"config", facts::lower_case(name), value});
    }
  } else if (config.error().code != Errc::not_found) {
    rows.gap("/etc/selinux/config", config.error());
  }
  if (!context.is_host() || !root.exists("/sys/fs/selinux/enforce")) return Ok{};
  for (const std::string name : {"enforce", "mls", "deny_unknown", "policyvers"}) {
    const auto value = root.read("/sys/fs/selinux/" + name, kConfigBytesMax);
    if (value) {
      rows.add({"status", name, facts::trim(value->substr(0, value->find('\n')))});
    } else {
      rows.gap("/sys/fs/selinux/" + name, value.error());
    }
  }
  return Ok{};
}

Status collect_boot(Context& context, Rows& rows) {
  const Root& root = context.root();
  const auto user = root.read("/boot/grub2/user.cfg", kConfigBytesMax);
  if (!user && user.error().code != Errc::not_found) rows.gap("/boot/grub2/user.cfg", user.error());
  std::vector<std::string> paths = facts::glob_paths(root, "/boot/efi/EFI/*/grub.cfg");
  paths.insert(paths.begin(), {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"});
  for (const std::string& path : paths) {
    const auto text = root.read(path, kConfigBytesMax);
    if (!text) {
      if (text.error().code != Errc::not_found) rows.gap(path, text.error());
      continue;
    }
    GrubSecurity found = parse_grub(*text);
    if (user && found.password == "none" && has_grub2_password(*user)) found.password = "pbkdf2";
    rows.add({path, found.has_entries, found.superusers, found.password});
  }
  return Ok{};
}

Status collect_blocks(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no devices"};
  const auto found = read_block_devices(context.root());
  if (!found) return found.error();
  for (const auto& [path, error] : found->gaps) rows.gap(path, error);
  for (const BlockDevice& device : found->devices) {
    std::string parents;
    for (const std::string& parent : device.parents) {
      parents += (parents.empty() ? "" : ",") + parent;
    }
    rows.add({device.name, device.device, device.type, parents, device.size_bytes, device.removable,
              device.encrypted});
  }
  return Ok{};
}

}  // namespace

sdk::Table apparmor_profiles_table() {
  return {.name = "apparmor_profiles",
          .title = "AppArmor profiles that the kernel has loaded; none where it has no AppArmor",
          .columns = {sdk::text("name", "Profile").key(), sdk::occurrence(),
                      sdk::text("mode", "enforce, complain, kill, unconfined")},
          .collect = collect_apparmor};
}

sdk::Table selinux_settings_table() {
  return {.name = "selinux_settings",
          .title = "SELinux as configured, and as it is; empty where there is none",
          .columns = {sdk::text("scope", "config, status").key(),
                      sdk::text("key", "selinux, selinuxtype, enforce, mls, …").key(),
                      sdk::text("value", "Value")},
          .collect = collect_selinux};
}

sdk::Table boot_loaders_table() {
  return {.name = "boot_loaders",
          .title = "GRUB's configurations and their passwords, never a hash",
          .columns = {sdk::bytes("path", "The file").key(),
                      sdk::boolean("has_entries", "It boots something, and does not only lead on"),
                      sdk::text("superusers", "As written"),
                      sdk::text("password", "pbkdf2, plain, none")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_boot};
}

sdk::Table block_devices_table() {
  return {
      .name = "block_devices",
      .title = "Disks, partitions and what is stacked on them",
      .columns = {sdk::text("name", "The kernel's").key(), sdk::text("device", "As mounts name it"),
                  sdk::text("type",
                            "disk, partition, crypt, lvm, multipath, mapper, raid, "
                            "loop, optical"),
                  sdk::text("parents", "Names of what it lies on, by commas"),
                  sdk::integer("size_bytes", "Size"), sdk::boolean("removable", "Removable"),
                  sdk::boolean("encrypted", "By dm-crypt: itself, or all that it lies on")},
      .collect = collect_blocks};
}

}  // namespace vouch::drift
