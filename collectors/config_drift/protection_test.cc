// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/protection.h"

#include <catch2/catch.hpp>

#include "collectors/config_drift/block_devices.h"
#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/malware_signatures.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;
using sdk::TestTree;

TEST_CASE("a boot loader's password is known by its kind alone", "[protection]") {
  const auto debian = parse_grub(
      "set superusers=\"root\"\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.ABCD\n"
      "menuentry 'Debian' --unrestricted {\n");
  const auto red_hat =
      parse_grub("set superusers=\"root\"\npassword_pbkdf2 root ${GRUB2_PASSWORD}\nblscfg\n");
  const auto plain = parse_grub("password root secret\n");
  const auto menu_less = parse_grub("# password root x\nconfigfile $prefix/grub.cfg\n");

  CHECK(debian.superusers == "root");
  CHECK(debian.password == "pbkdf2");
  CHECK(debian.has_entries);
  CHECK(red_hat.password == "none");
  CHECK(red_hat.has_entries);
  CHECK(plain.password == "plain");
  CHECK(menu_less.password == "none");
  CHECK_FALSE(menu_less.has_entries);
  CHECK(has_grub2_password("GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.AB\n"));
  CHECK_FALSE(has_grub2_password("#GRUB2_PASSWORD=grub.pbkdf2.\nGRUB2_PASSWORD=\n"));
}

TEST_CASE("hashes of boot loaders and the files' traps stay outside", "[protection]") {
  TestTree tree;
  tree.file("/boot/grub2/grub.cfg",
            "set superusers=\"root\"\npassword_pbkdf2 root ${GRUB2_PASSWORD}\nblscfg\n");
  tree.file("/boot/grub2/user.cfg", "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.PLANTED\n");
  tree.file("/boot/efi/EFI/debian/grub.cfg", "configfile /x\n").fifo("/boot/grub/grub.cfg");
  tree.file("/etc/selinux/config", "# SELINUX=disabled\nSELINUX=Enforcing\nSELINUXTYPE=targeted\n");

  const auto answer = sdk::run_collector(
      make_config_drift(), tree.path(),
      {.tables = {"boot_loaders", "selinux_settings", "apparmor_profiles", "block_devices"}});

  CHECK(answer.violation == "");
  CHECK(answer.cell("boot_loaders", "path", "/boot/grub2/grub.cfg", "password") == "pbkdf2");
  CHECK(answer.cell("boot_loaders", "path", "/boot/efi/EFI/debian/grub.cfg", "has_entries") ==
        "false");
  CHECK(answer.has_gap("boot_loaders", "/boot/grub/grub.cfg"));
  CHECK(answer.raw.find("PLANTED") == std::string::npos);
  CHECK(answer.cell("selinux_settings", "key", "selinux", "value") == "enforcing");
  CHECK(answer.tables.at("selinux_settings").size() == 2);
  CHECK(answer.errors.contains("apparmor_profiles"));
  CHECK(answer.errors.contains("block_devices"));
}

TEST_CASE("loaded profiles are read with their children", "[protection]") {
  TestTree tree;
  const std::string base = "/sys/kernel/security/apparmor/policy/profiles/";
  tree.file(base + "sshd.1/name", "/usr/sbin/sshd\n").file(base + "sshd.1/mode", "enforce\n");
  tree.file(base + "sshd.1/profiles/sftp.2/name", "sftp\n");
  tree.file(base + "sshd.1/profiles/sftp.2/mode", "complain\n");
  tree.file(base + "half.3/name", "half\n").fifo(base + "half.3/mode");

  const auto found = read_apparmor_profiles(*Root::open(tree.path()));

  REQUIRE(found);
  REQUIRE(found->profiles.size() == 2);
  CHECK(found->profiles[0].name == "/usr/sbin/sshd");
  CHECK(found->profiles[1].name == "sftp");
  CHECK(found->profiles[1].mode == "complain");
  CHECK(found->gaps.size() == 1);
  TestTree none;
  CHECK(read_apparmor_profiles(*Root::open(none.path())).error().code == Errc::not_found);
}

TEST_CASE("encryption is inherited from all that a device lies on", "[protection]") {
  TestTree tree;
  const std::string devices = "/sys/devices/virtual/block/";
  const auto device = [&](const std::string& name, const std::string& where) -> TestTree& {
    tree.file(where + name + "/size", "2048\n").file(where + name + "/removable", "0\n");
    return tree.symlink("/sys/class/block/" + name, "../../.." + where + name);
  };
  device("sda", "/sys/devices/pci/block/");
  device("sda1", "/sys/devices/pci/block/sda/")
      .file("/sys/devices/pci/block/sda/sda1/partition", "1\n");
  device("sda2", "/sys/devices/pci/block/sda/")
      .file("/sys/devices/pci/block/sda/sda2/partition", "2\n");
  device("dm-0", devices).file(devices + "dm-0/dm/name", "luks\n");
  tree.file(devices + "dm-0/dm/uuid", "CRYPT-LUKS2-abc-luks\n")
      .symlink(devices + "dm-0/slaves/sda2", "x");
  device("dm-1", devices).file(devices + "dm-1/dm/name", "vg-root\n");
  tree.file(devices + "dm-1/dm/uuid", "LVM-abc\n").symlink(devices + "dm-1/slaves/dm-0", "x");
  device("dm-2", devices).file(devices + "dm-2/dm/name", "vg-mixed\n");
  tree.file(devices + "dm-2/dm/uuid", "LVM-def\n").symlink(devices + "dm-2/slaves/dm-0", "x");
  tree.symlink(devices + "dm-2/slaves/sda1", "x");
  device("dm-3", devices).file(devices + "dm-3/dm/name", "loop\n");
  tree.symlink(devices + "dm-3/slaves/dm-3", "x");  // It lies on itself.
  device("loop0", devices).file(devices + "loop0/size", "0\n");

  const auto found = read_block_devices(*Root::open(tree.path()));

  REQUIRE(found);
  const auto& all = found->devices;
  REQUIRE(all.size() == 7);
  CHECK(all[0].device == "/dev/mapper/luks");
  CHECK(all[0].type == "crypt");
  CHECK(all[0].encrypted);
  CHECK(all[1].device == "/dev/mapper/vg-root");
  CHECK(all[1].type == "lvm");
  CHECK(all[1].encrypted);
  CHECK_FALSE(all[2].encrypted);
  CHECK_FALSE(all[3].encrypted);
  CHECK(all[4].name == "sda");
  CHECK(all[4].size_bytes == 1048576);
  CHECK_FALSE(all[4].encrypted);
  CHECK(all[5].type == "partition");
  CHECK(all[5].parents == std::vector<std::string>{"sda"});
}

TEST_CASE("a signature database is as old as its maker says", "[protection]") {
  const std::string good =
      "ClamAV-VDB:21 Nov 2026 08-23 -0500:27460:2060000:90:aa:bb:raynman:1795440180";
  const auto database = parse_signature_header(good + std::string(400, ' '));

  REQUIRE(database);
  CHECK(database->version == 27460);
  CHECK(database->signatures == 2060000);
  CHECK(database->built == 1795440180);
  CHECK_FALSE(parse_signature_header(""));
  CHECK_FALSE(parse_signature_header("ClamAV-VDB:x:1:2:3"));
  CHECK_FALSE(parse_signature_header("Other:21 Nov:1:2:90:a:b:c:1795440180"));
  CHECK_FALSE(parse_signature_header("ClamAV-VDB:21 Nov:1:2:90:a:b:c:-5"));
  CHECK_FALSE(parse_signature_header("ClamAV-VDB:21 Nov:1:2:90:a:b:c:999999999999999"));

  TestTree tree;
  tree.file("/var/lib/clamav/daily.cld", good + std::string(436, ' ') + "data");
  tree.file("/var/lib/clamav/bad.cvd", "no").file("/var/lib/clamav/freshclam.dat", "x");
  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"malware_signatures"}});
  CHECK(answer.cell("malware_signatures", "name", "daily", "version") == "27460");
  CHECK(answer.has_gap("malware_signatures", "/var/lib/clamav/bad.cvd"));
  CHECK(answer.tables.at("malware_signatures").size() == 1);
}
