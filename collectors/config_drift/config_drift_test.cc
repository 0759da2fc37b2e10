// SPDX-License-Identifier: Apache-2.0
// The collector over trees with traps, as a runner would see it.
#include "collectors/config_drift/config_drift.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "collectors/config_drift/stat_cache.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"

using namespace vouch;
using namespace vouch::drift;
using sdk::run_collector;
using sdk::TestTree;

namespace {

sdk::TestAnswer collect(const TestTree& tree, sdk::TestRequest request) {
  auto answer = run_collector(make_config_drift(), tree.path(), request);
  CHECK(answer.violation == "");
  return answer;
}

sdk::TestRequest hashes(const TestTree& cache = {}, std::string token = "") {
  sdk::TestRequest request{.tables = {"file_hashes"}, .cache_dir = cache.path()};
  request.options["paths"] = json::Array{"/etc"};
  if (!token.empty()) request.tokens["file_hashes"] = std::move(token);
  return request;
}

// Sets the times of a file so that it counts as settled: ctime cannot be set, so tests wait for it.
void wait_until_settled() {
  ::usleep(3'100'000);
}

const std::string kHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

}  // namespace

TEST_CASE("files are rows with what they are, and traps neither block nor lead out", "[drift]") {
  TestTree tree;
  tree.file("/etc/hello", "hello", 0640).directory("/etc/empty", 0700).fifo("/etc/pipe");
  tree.symlink("/etc/out", "../../../../etc/passwd").symlink("/etc/loop", "loop");
  tree.file("/etc/na\xFFme\n", "hello");
  tree.file("/elsewhere", "x");

  const auto answer = collect(tree, {.tables = {"file_hashes"}});

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("gaps").empty());
  CHECK(answer.cell("file_hashes", "path", "/etc/hello", "sha256") == kHello);
  CHECK(answer.cell("file_hashes", "path", "/etc/hello", "mode") == "0640");
  CHECK(answer.cell("file_hashes", "path", "/etc/hello", "size") == "5");
  CHECK(answer.cell("file_hashes", "path", "/etc/hello", "target") == "null");
  CHECK(answer.cell("file_hashes", "path", "/etc/empty", "type") == "directory");
  CHECK(answer.cell("file_hashes", "path", "/etc/pipe", "type") == "fifo");
  CHECK(answer.cell("file_hashes", "path", "/etc/out", "target") == "../../../../etc/passwd");
  CHECK(answer.cell("file_hashes", "path", "/etc/out", "sha256") == "null");
  CHECK(answer.cell("file_hashes", "path", "/etc/na\\xffme\\x0a", "sha256") == kHello);
  CHECK(answer.tables.at("file_hashes").size() == 7);
}

TEST_CASE("options choose the paths, limits become gaps", "[drift]") {
  TestTree tree;
  tree.file("/a/one", "hello")
      .file("/a/skip/two", "x")
      .file("/b/three", "x")
      .file("/a/big", "123456");
  sdk::TestRequest request{.tables = {"file_hashes"}};
  request.options["paths"] = json::Array{"/a/", "/a/one", "/missing"};
  request.options["extra_paths"] = json::Array{"/b"};
  request.options["exclude"] = json::Array{"/a/skip"};
  request.options["file_bytes_max"] = 5;

  const auto answer = collect(tree, request);

  CHECK(answer.has_gap("file_hashes", "/a/big"));
  CHECK(answer.cell("file_hashes", "path", "/a/one", "sha256") == kHello);
  CHECK(answer.cell("file_hashes", "path", "/a/skip", "type") == "");
  CHECK(answer.cell("file_hashes", "path", "/b/three", "type") == "regular");
  CHECK(answer.tables.at("file_hashes").size() == 4);
}

TEST_CASE("a relative path is refused", "[drift]") {
  TestTree tree;
  sdk::TestRequest request{.tables = {"file_hashes"}};
  request.options["paths"] = json::Array{"etc"};

  CHECK(collect(tree, request).errors.contains("file_hashes"));
}

TEST_CASE("an unchanged tree is answered by its token, a changed one in full", "[drift]") {
  TestTree tree;
  TestTree cache;
  tree.file("/etc/a", "hello").file("/etc/b", "x");
  wait_until_settled();

  const auto first = collect(tree, hashes(cache));
  const auto second = collect(tree, hashes(cache, first.tokens.at("file_hashes")));
  tree.file("/etc/b", "y");
  const auto third = collect(tree, hashes(cache, first.tokens.at("file_hashes")));

  CHECK(second.unchanged == std::vector<std::string>{"file_hashes"});
  CHECK(third.unchanged.empty());
  CHECK(third.tables.at("file_hashes").size() == 3);
  // It changed within the tick of its own clock: no promise is made of it.
  CHECK(third.tokens.empty());
}

TEST_CASE("the cache saves reading, and its age is limited", "[drift]") {
  TestTree tree;
  TestTree cache;
  tree.file("/etc/a", "hello");
  wait_until_settled();
  const std::string path = cache.path() + "/file_hashes.cache";
  const auto first = collect(tree, hashes(cache));
  struct stat status;
  REQUIRE(::stat((tree.path() + "/etc/a").c_str(), &status) == 0);

  // A planted digest shows where the answer comes from.
  auto planted = StatCache::parse(*read_file(path, 1 << 20));
  REQUIRE(planted);
  StatCache forged;
  forged.token = planted->token;
  forged.put(status, std::string(32, '\1'), SystemClock().wall_ms() / 1000);
  REQUIRE(write_file_durable(path, forged.serialize()));
  const auto from_cache = collect(tree, hashes(cache));

  StatCache old;
  old.token = planted->token;
  old.put(status, std::string(32, '\1'), SystemClock().wall_ms() / 1000);
  std::string bytes = old.serialize();
  REQUIRE(write_file_durable(path, bytes.substr(0, bytes.size() - 1)));
  const auto from_file = collect(tree, hashes(cache));

  CHECK(from_cache.raw.find(std::string(62, '0')) == std::string::npos);
  CHECK(from_cache.cell("file_hashes", "path", "/etc/a", "sha256").starts_with("0101"));
  CHECK(from_file.cell("file_hashes", "path", "/etc/a", "sha256") == kHello);
  // Without the cache's own word that its hashes are fresh, a token alone settles nothing.
  REQUIRE(remove_file(path));
  const auto asked = collect(tree, hashes(cache, first.tokens.at("file_hashes")));
  CHECK(asked.unchanged.empty());
  CHECK(asked.tokens == first.tokens);
}

TEST_CASE("sshd's files are read where sshd cannot be asked", "[drift]") {
  TestTree tree;
  tree.file("/etc/ssh/sshd_config",
            "Include sshd_config.d/*.conf\nPermitRootLogin yes\nPermitRootLogin no\nPort 22\n"
            "Port 2222\nAllowUsers a b\nSubsystem sftp /x -l\nSetEnv A=planted\nMatch User ann\n"
            "PermitRootLogin no\n");
  tree.file("/etc/ssh/sshd_config.d/1.conf", "X11Forwarding no\n\"broken\n");
  tree.file("/etc/ssh/sshd_config.d/2.conf", "Match Address 10.0.0.0/8\nPermitRootLogin yes\n");
  tree.file("/etc/default/ssh", "SSHD_OPTS=-oPermitRootLogin=yes\n");

  const auto answer = collect(tree, {.tables = {"sshd_effective_config"}});

  const auto value = [&](std::string_view setting) {
    return answer.cell("sshd_effective_config", "setting", setting, "value");
  };
  CHECK(value("permitrootlogin") == "yes");
  CHECK(value("x11forwarding") == "no");
  CHECK(value("port") == "several");
  CHECK(value("allowusers") == "several");
  CHECK(value("subsystem") == "sftp /x -l");
  CHECK(value("match") == "several");
  CHECK(answer.raw.find("Address 10.0.0.0/8: permitrootlogin yes") != std::string::npos);
  CHECK(answer.raw.find("User ann: permitrootlogin no") != std::string::npos);
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.has_gap("sshd_effective_config", "/etc/ssh/sshd_config.d/1.conf:2"));
  CHECK(answer.has_gap("sshd_effective_config", "/etc/default/ssh"));
}

TEST_CASE("sysctl: the last file in order of names has the word", "[drift]") {
  TestTree tree;
  tree.file("/usr/lib/sysctl.d/50-a.conf", "kernel.sysrq=1\nkernel.panic=5\n");
  tree.file("/etc/sysctl.d/60-b.conf", "kernel.sysrq = 0\nbroken\n");
  tree.file("/usr/lib/sysctl.d/70-masked.conf", "kernel.sysrq=7\n");
  tree.symlink("/etc/sysctl.d/70-masked.conf", "/dev/null");
  tree.file("/etc/sysctl.d/README", "kernel.sysrq=9\n");
  tree.file("/etc/sysctl.d/80-glob.conf", "net.ipv4.conf.*.rp_filter=2\n");

  const auto answer = collect(tree, {.tables = {"system_controls"}});

  const auto cell = [&](std::string_view name, std::string_view column) {
    return answer.cell("system_controls", "name", name, column);
  };
  CHECK(cell("kernel.sysrq", "config_value") == "0");
  CHECK(cell("kernel.sysrq", "config_source") == "/etc/sysctl.d/60-b.conf");
  CHECK(cell("kernel.sysrq", "current_value") == "null");
  CHECK(cell("kernel.panic", "config_value") == "5");
  CHECK(cell("net.ipv4.conf.*.rp_filter", "config_value") == "2");
  CHECK(answer.tables.at("system_controls").size() == 3);
  CHECK(answer.has_gap("system_controls", "/etc/sysctl.d/60-b.conf:2"));
}

TEST_CASE("units: enabled, masked, aliased, overridden, missing", "[drift]") {
  TestTree tree;
  const std::string lib = "/usr/lib/systemd/system/";
  const std::string etc = "/etc/systemd/system/";
  tree.file(lib + "on.service", "[Install]\nWantedBy=x.target\n");
  tree.file(lib + "off.service", "[Install]\nWantedBy=x.target\n");
  tree.file(lib + "static.service", "[Service]\n");
  tree.file(lib + "masked.service", "[Install]\nWantedBy=x.target\n");
  tree.symlink(etc + "masked.service", "/dev/null");
  tree.file(etc + "masked.service.d/x.conf", "[Service]\n");  // It waits for the day of unmask.
  tree.file(lib + "ssh.service", "[Install]\nAlias=sshd.service\n");
  tree.symlink(etc + "sshd.service", "/lib/systemd/system/ssh.service");
  tree.file(lib + "getty@.service", "[Install]\nWantedBy=x.target\n");
  tree.symlink(etc + "x.target.wants/on.service", lib + "on.service");
  tree.symlink(etc + "x.target.wants/getty@tty1.service", lib + "getty@.service");
  tree.symlink(etc + "x.target.wants/gone.service", lib + "gone.service");
  tree.file(etc + "on.service.d/10.conf", "[Service]\n").file(etc + "on.service.d/notes", "");
  tree.file(lib + "on.service.d/10.conf", "hidden by the one in /etc");
  tree.file(lib + "on.service.d/20.conf", "[Service]\n");
  tree.file(lib + "off.service", "[Install]\nWantedBy=x.target\n");
  tree.file(etc + "off.service", "[Service]\n");
  tree.fifo(etc + "pipe.service").symlink("/lib", "usr/lib");

  const auto answer = collect(tree, {.tables = {"systemd_units"}});

  const auto state = [&](std::string_view id) {
    return answer.cell("systemd_units", "id", id, "unit_file_state");
  };
  CHECK(state("on.service") == "enabled");
  CHECK(state("off.service") == "static");
  CHECK(state("static.service") == "static");
  CHECK(state("masked.service") == "masked");
  CHECK(answer.cell("systemd_units", "id", "masked.service", "drop_ins") ==
        etc + "masked.service.d/x.conf");
  CHECK(state("ssh.service") == "enabled");
  CHECK(state("sshd.service") == "alias");
  CHECK(state("getty@.service") == "enabled");
  CHECK(state("getty@tty1.service") == "enabled");
  CHECK(answer.cell("systemd_units", "id", "gone.service", "load_state") == "not-found");
  CHECK(answer.cell("systemd_units", "id", "on.service", "active_state") == "null");
  CHECK(answer.cell("systemd_units", "id", "on.service", "drop_ins") ==
        etc + "on.service.d/10.conf " + lib + "on.service.d/20.conf");
  CHECK(answer.cell("systemd_units", "id", "masked.service", "fragment_path") == "null");
  CHECK(answer.has_gap("systemd_units", etc + "pipe.service"));
}

TEST_CASE("an image has no kernel, and says so", "[drift]") {
  TestTree tree;
  tree.file("/etc/fstab", "UUID=1 / ext4 errors=remount-ro,noatime 0 1\nshort\n");
  tree.file("/etc/modprobe.d/x.conf", "blacklist usb-storage\n");

  const auto answer = collect(tree, {});

  CHECK_THAT(answer.errors.at("listening_ports"), Catch::StartsWith("not-supported"));
  CHECK_THAT(answer.errors.at("systemd_units"), Catch::StartsWith("not-found"));
  CHECK(answer.tables.at("sshd_effective_config").empty());
  CHECK(answer.cell("mounts", "path", "/", "flags") == "errors=remount-ro,noatime");
  CHECK(answer.cell("mounts", "path", "/", "source") == "fstab");
  CHECK(answer.has_gap("mounts", "/etc/fstab:2"));
  CHECK(answer.cell("kernel_modules", "name", "usb_storage", "loaded") == "false");
}
