// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/mount_usage.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::drift;
using std::chrono::milliseconds;

namespace {

// A file system that hangs, one that refuses, and one that answers.
Result<Usage> ask_fake(const std::string& path) {
  if (path == "/hangs") ::pause();
  if (path == "/denied") return Error{Errc::denied, "no"};
  if (path == "/dies") ::_exit(3);
  if (path == "/closed") return Usage{7, 1000, ::fcntl(1, F_GETFD) == -1 ? 1 : 99};
  return Usage{7, 1000, 42, 1};
}

}  // namespace

TEST_CASE("used is reckoned as df does, rounded up", "[usage]") {
  // 100 blocks, 40 free, of which 5 are kept for root: 60 of 95 that count.
  const Usage usage = make_usage(4096, 100, 40, 35, 1000, 999);

  CHECK(usage.size_bytes == 409600);
  CHECK(usage.used_percent == 64);
  CHECK(usage.inodes_used_percent == 1);
  CHECK(make_usage(4096, 100, 100, 100, 0, 0).used_percent == 0);
  CHECK_FALSE(make_usage(4096, 100, 100, 100, 0, 0).inodes_used_percent.has_value());
  CHECK(make_usage(4096, 100, 200, 0, 10, 20).used_percent == 0);  // A kernel that lies.
  CHECK(make_usage(1, ~0ull, 1, 0, 1, 0).used_percent == 100);
}

TEST_CASE("what hangs is given up, and costs the others nothing", "[usage]") {
  const auto began = std::chrono::steady_clock::now();

  const auto answers =
      ask_usage_by_children({"/hangs", "/good", "/denied", "/dies"}, milliseconds(300), ask_fake);

  CHECK(std::chrono::steady_clock::now() - began < milliseconds(2000));
  REQUIRE(answers.size() == 4);
  REQUIRE_FALSE(answers[0]);
  CHECK(answers[0].error().code == Errc::timeout);
  REQUIRE(answers[1]);
  CHECK(answers[1]->used_percent == 42);
  CHECK(answers[1]->inodes_used_percent == 1);
  CHECK(answers[1]->device == 7);
  REQUIRE_FALSE(answers[2]);
  CHECK(answers[2].error().code == Errc::denied);
  CHECK_FALSE(answers[3]);
}

TEST_CASE("a child that hangs does not hold the collector's output open", "[usage]") {
  const auto answers = ask_usage_by_children({"/closed"}, milliseconds(2000), ask_fake);

  REQUIRE(answers[0]);
  CHECK(answers[0]->used_percent == 1);
}

TEST_CASE("the kinds of mounts", "[usage]") {
  const auto kind = [](std::string type, std::string path = "/x") {
    return mount_kind({"d", std::move(path), std::move(type), "rw"});
  };

  CHECK(kind("ext4") == MountKind::local);
  CHECK(kind("tmpfs", "/tmp") == MountKind::local);
  CHECK(kind("overlay", "/") == MountKind::local);
  CHECK(kind("overlay") == MountKind::ignored);
  CHECK(kind("nfs4") == MountKind::remote);
  CHECK(kind("fuse.sshfs") == MountKind::remote);
  CHECK(kind("autofs") == MountKind::ignored);
  CHECK(kind("squashfs") == MountKind::ignored);
  CHECK(kind("tmpfs", "/run/user/1000") == MountKind::ignored);
  CHECK(kind("tmpfs", "/dev/shm") == MountKind::ignored);
}

TEST_CASE("memory is total and what is not available", "[usage]") {
  const auto info = parse_meminfo(
      "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     250 kB\nSwapTotal: 0 kB\n"
      "SwapFree: 0 kB\n");

  REQUIRE(info);
  CHECK(info->memory.size_bytes == 1024000);
  CHECK(info->memory.used_percent == 75);
  CHECK_FALSE(info->swap.has_value());
  CHECK(parse_meminfo("MemTotal: 10\nMemAvailable: 5\nSwapTotal: 8\nSwapFree: 2\n")
            ->swap->used_percent == 75);
  CHECK_FALSE(parse_meminfo(""));
  CHECK_FALSE(parse_meminfo("MemTotal: 99999999999999999999 kB\nMemAvailable: -5\n"));
}

TEST_CASE("the running host's root is as full as df says", "[usage]") {
  const auto answer =
      sdk::run_collector(make_config_drift(), "/", {.tables = {"mount_usage", "memory_usage"}});

  CHECK(answer.violation == "");
  CHECK(answer.errors.empty());
  CHECK(answer.cell("memory_usage", "kind", "memory", "size_bytes") != "");
  Command command;
  command.argv = {"/usr/bin/df", "--output=pcent,ipcent", "/"};
  command.environment = default_environment();
  const auto df = run_process(command);
  if (!df || df->code != 0) {
    WARN("skipped: df is missing");
  } else {
    const auto usage = ask_usage("/");
    REQUIRE(usage);
    int percent = 0;
    int inodes = 0;
    const std::string line = df->standard_output.substr(df->standard_output.find('\n') + 1);
    REQUIRE(std::sscanf(line.c_str(), "%d%% %d%%", &percent, &inodes) >= 1);
    // Others write at the same time.
    CHECK(std::abs(percent - usage->used_percent) <= 1);
    CHECK(std::abs(inodes - usage->inodes_used_percent.value_or(0)) <= 1);
  }
  sdk::TestTree tree;
  CHECK(sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"mount_usage"}})
            .errors.contains("mount_usage"));
}
