// SPDX-License-Identifier: Apache-2.0
// The pure parsers: sysctl, mounts, sockets, units, modules.
#include <catch2/catch.hpp>

#include "collectors/config_drift/file_walk.h"
#include "collectors/config_drift/kernel_modules.h"
#include "collectors/config_drift/mount_table.h"
#include "collectors/config_drift/sockets.h"
#include "collectors/config_drift/sysctl_config.h"
#include "collectors/config_drift/unit_files.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

TEST_CASE("sysctl lines: separators, comments, minus", "[sysctl]") {
  const auto file = parse_sysctl(
      "# c\n; c\n\nkernel.sysrq = 0\n -net/ipv4/conf/eth0.1/rp_filter=2 \n"
      "-net.ipv4.conf.lo.rp_filter\nkernel.core_pattern=|/bin/x %p = y\n"
      "net.ipv4.conf.eth0/1.rp_filter = 1\n");

  CHECK(file.faults.empty());
  REQUIRE(file.settings.size() == 5);
  CHECK(file.settings[0].name == "kernel.sysrq");
  CHECK(file.settings[0].value == "0");
  CHECK(file.settings[1].name == "net.ipv4.conf.eth0/1.rp_filter");
  CHECK(file.settings[1].value == "2");
  CHECK(file.settings[2].is_excluded);
  CHECK(file.settings[3].value == "|/bin/x %p = y");
  CHECK(file.settings[4].name == "net.ipv4.conf.eth0/1.rp_filter");
  CHECK(sysctl_path(file.settings[4].name) == "/proc/sys/net/ipv4/conf/eth0.1/rp_filter");
}

TEST_CASE("a sysctl line without a value or a name is a fault", "[sysctl]") {
  const auto bad = GENERATE(as<std::string>{}, "kernel.sysrq", "= 1", "a b = 1", "-", "-=1");
  CAPTURE(bad);

  CHECK(parse_sysctl("kernel.sysrq=1\n" + bad).faults == std::vector<int>{2});
}

TEST_CASE("mounts: escapes are decoded, options sorted, secrets taken out", "[mounts]") {
  const auto table = parse_mounts(
      "tmpfs /a\\040b\\134c tmpfs rw,nosuid 0 0\n# no\n\n"
      "//nas/x /mnt cifs username=u,password=planted,uid=1,cred=/root/c 0 0\n"
      "https://u:planted@h/x /w fuse rw\n/dev/sda1 none swap sw\n/d\\777 /x t o\n");

  CHECK(table.faults.empty());
  REQUIRE(table.mounts.size() == 5);
  CHECK(table.mounts[0].path == "/a b\\c");
  CHECK(table.mounts[0].flags == "nosuid,rw");
  CHECK(table.mounts[1].flags == "cred=[redacted],password=[redacted],uid=1,username=u");
  CHECK(table.mounts[2].device.find("planted") == std::string::npos);
  CHECK(table.mounts[4].device == "/d\\777");
}

TEST_CASE("a mount line of fewer than four fields is a fault with its number", "[mounts]") {
  CHECK(parse_mounts("proc /proc proc rw 0 0\n/dev/sda1 /\n").faults == std::vector<int>{2});
}

TEST_CASE("a slave root mount says that the namespace is the process's own", "[mounts]") {
  CHECK_FALSE(is_private_namespace("28 1 254:0 / / rw - ext4 /dev/vda rw\n"));
  CHECK_FALSE(is_private_namespace("28 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"));
  CHECK(
      is_private_namespace("28 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"
                           "90 1 254:0 / / ro master:1 - ext4 /dev/vda rw\n"));
  CHECK_FALSE(is_private_namespace("28 1 254:0 / /x rw master:1 - ext4 /dev/vda rw\n"));
}

TEST_CASE("sockets of /proc/net: listening ones only, addresses in host order", "[sockets]") {
  const std::string head = "  sl  local_address rem_address   st tx_queue rx_queue tr\n";
  const auto tcp = parse_proc_net(head +
                                      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 "
                                      "00:00000000 00000000  1000  0 1 1\n"
                                      "   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 "
                                      "00:00000000 00000000     0  0 2 1\n",
                                  "tcp", false);
  const auto udp = parse_proc_net(
      head +
          "  77: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 "
          "00000000:00000000 00:00000000 00000000   101        0 9 2\n"
          "  78: 00000000000000000000000000000000:0000 00000000000000000000000000000000:0000 07 "
          "00000000:00000000 00:00000000 00000000   101        0 9 2\n",
      "udp", true);

  REQUIRE(tcp);
  REQUIRE(tcp->size() == 1);
  CHECK((*tcp)[0].address == "127.0.0.1");
  CHECK((*tcp)[0].port == 8080);
  CHECK((*tcp)[0].uid == 1000);
  REQUIRE(udp);
  REQUIRE(udp->size() == 1);
  CHECK((*udp)[0].address == "::1");
  CHECK((*udp)[0].port == 53);
}

TEST_CASE("a socket line that does not parse is an error with its number", "[sockets]") {
  const auto bad = GENERATE(as<std::string>{}, "x", "0: 0100007F 0:0 0A a b c 0",
                            "0: 0100:1F90 00000000:0000 0A a b c 0",
                            "0: 0100007F:1F90 00000000:0000 0A a b c root");
  CAPTURE(bad);

  const auto parsed = parse_proc_net("head\n" + bad + "\n", "tcp", false);

  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().message, Catch::StartsWith("line 2"));
}

TEST_CASE("the kernel answers for its sockets", "[sockets]") {
  const auto listeners = query_listeners();

  if (!listeners) WARN("skipped: no sock_diag here: " << listeners.error().message);
  if (listeners) {
    for (const auto& listener : *listeners) {
      CHECK(listener.port > 0);
      CHECK_FALSE(listener.address.empty());
    }
  }
}

TEST_CASE("an [Install] section says whether a unit can be enabled", "[units]") {
  CHECK(install_kind("[Unit]\nWantedBy=x\n[Service]\nExecStart=/x\n") == "");
  CHECK(install_kind("[Install]\nWantedBy = multi-user.target\n") == "enable");
  CHECK(install_kind("[Install]\nWantedBy=\n") == "");
  CHECK(install_kind("[Install]\nAlso=a.socket\n") == "also");
  CHECK(install_kind("[Install]\nAlso=a.socket\nAlias=b.service\n") == "enable");
  CHECK(install_kind("[Install]\n# WantedBy=x\n=\n") == "");
}

TEST_CASE("the list of units gives their states", "[units]") {
  const auto states = parse_list_units(
      "ssh.service   loaded    active   running OpenBSD Secure Shell\n"
      "x.service     not-found inactive dead    x.service\nshort line\n");

  REQUIRE(states.size() == 2);
  CHECK(states.at("ssh.service").sub == "running");
  CHECK(states.at("x.service").active == "inactive");
}

TEST_CASE("modules: loaded ones, and those that the configuration names", "[modules]") {
  CHECK(parse_proc_modules("nf_tables 1 0 - Live 0x0\nusb-x 1\n") ==
        std::set<std::string>{"nf_tables", "usb_x"});
  CHECK(parse_modules_load("# c\nbr_netfilter\n\n dm-mod\n") ==
        std::set<std::string>{"br_netfilter", "dm_mod"});
  const auto policies = parse_modprobe(
      "blacklist usb-storage\ninstall cramfs /bin/false\ninstall dccp /sbin/modprobe -i dccp\n"
      "options x y=1\ninstall\n# blacklist no\ninstall udf /usr/sbin/nologin\n");
  CHECK(policies.size() == 4);
  CHECK(policies.at("usb_storage").blacklisted);
  CHECK_FALSE(policies.at("usb_storage").disabled);
  CHECK(policies.at("cramfs").disabled);
  CHECK_FALSE(policies.at("dccp").disabled);
  CHECK(policies.at("udf").disabled);
  CHECK(parse_modules_dep("kernel/drivers/usb/storage/usb-storage.ko.xz: kernel/x.ko\n"
                          "kernel/fs/udf/udf.ko\n\nbroken\n") ==
        std::set<std::string>{"usb_storage", "udf"});
}

TEST_CASE("a mount that must not be touched is a gap, and nothing of it is looked at", "[walk]") {
  sdk::TestTree tree;
  tree.file("/etc/a", "x").file("/etc/dead/b", "x").file("/etc/deadly", "x");
  WalkLimits limits;
  limits.untouched = {"/etc/dead", "/mnt"};
  std::vector<std::string> gaps;

  const auto entries = walk(*Root::open(tree.path()), {"/etc", "/mnt"}, limits,
                            [&](const std::string& path, const Error&) { gaps.push_back(path); });

  REQUIRE(entries);
  CHECK(entries->size() == 3);
  CHECK(entries->back().path == "/etc/deadly");
  CHECK(gaps == std::vector<std::string>{"/etc/dead", "/mnt"});
}
