// SPDX-License-Identifier: Apache-2.0
#include "collectors/deleted_libraries/deleted_libraries.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "collectors/sdk/testing.h"

namespace vouch::deleted_libraries {
namespace {

constexpr const char* kMaps =
    "7f00-7f01 r-xp 00000000 08:01 12  /usr/lib/libssl.so.3 (deleted)\n"
    "7f01-7f02 r--p 00001000 08:01 12  /usr/lib/libssl.so.3 (deleted)\n"
    "7f02-7f03 r--p 00001000 08:01 13  /usr/lib/data.so (deleted)\n"
    "7f03-7f04 r-xp 00000000 08:01 14  /usr/lib/libc.so.6\n"
    "7f04-7f05 r-xp 00000000 00:05 15  /memfd:code (deleted)\n"
    "7f05-7f06 r-xp 00000000 08:01 16  /tmp/ffiAbc (deleted)\n"
    "7f06-7f07 r-xp 00000000 08:01 17  /usr/sbin/a d (deleted)\n"
    "7f07-7f08 r-xp 00000000 00:05 18  /dev/zero (deleted)\n"
    "7f08-7f09 r-xp 00000000 00:00 0   [vdso]\njunk\n (deleted)\nx (deleted)";

TEST_CASE("only executable mappings of libraries and of the program itself count", "[deleted]") {
  using Files = std::vector<std::string>;
  CHECK(deleted_files(kMaps, "/usr/sbin/a d") == Files{"/usr/lib/libssl.so.3", "/usr/sbin/a d"});
  CHECK(deleted_files(kMaps, "/usr/sbin/other") == Files{"/usr/lib/libssl.so.3"});
  CHECK(deleted_files("", "/x").empty());
  CHECK(deleted_files(std::string("\xff\0 r-xp (deleted)", 16), "/x").empty());
}

TEST_CASE("the unit is the innermost of the process's group", "[deleted]") {
  CHECK(unit_of_cgroup("0::/system.slice/ssh.service\n") == "ssh.service");
  CHECK(unit_of_cgroup("0::/system.slice/x.service/payload/a\n") == "x.service");
  CHECK(unit_of_cgroup("12:cpu:/\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n") ==
        "session-1.scope");
  CHECK(unit_of_cgroup("0::/\n").empty());
  CHECK(unit_of_cgroup("junk").empty());
}

TEST_CASE("processes with the same library are one row", "[deleted]") {
  sdk::TestTree tree;
  for (const char* pid : {"10", "11"}) {
    const std::string directory = std::string("/proc/") + pid;
    tree.file(directory + "/maps", kMaps)
        .file(directory + "/stat", "x")
        .file(directory + "/cgroup", "0::/system.slice/a.service\n")
        .symlink(directory + "/exe", "/usr/sbin/a d (deleted)");
  }
  tree.file("/proc/12/stat", "x")
      .fifo("/proc/12/maps")
      .directory("/proc/13")
      .directory("/proc/sys");
  tree.file("/usr/lib/libssl.so.3", "new");

  const auto answer = sdk::run_collector(make_deleted_libraries(), tree.path());

  CHECK(answer.violation.empty());
  CHECK(answer.tables.at("deleted_libraries").size() == 2);
  CHECK(answer.cell("deleted_libraries", "path", "/usr/lib/libssl.so.3", "processes") == "2");
  CHECK(answer.cell("deleted_libraries", "path", "/usr/lib/libssl.so.3", "unit") == "a.service");
  CHECK(answer.cell("deleted_libraries", "path", "/usr/lib/libssl.so.3", "replaced") != "null");
  CHECK(answer.cell("deleted_libraries", "path", "/usr/sbin/a d", "replaced") == "null");
  CHECK(answer.has_gap("deleted_libraries", "/proc/12"));
  CHECK_FALSE(answer.has_gap("deleted_libraries", "/proc/13"));
}

TEST_CASE("an image has no processes, which is an error", "[deleted]") {
  sdk::TestTree tree;
  CHECK(sdk::run_collector(make_deleted_libraries(), tree.path())
            .errors.contains("deleted_libraries"));
  tree.directory("/proc/sys");
  CHECK_THAT(
      sdk::run_collector(make_deleted_libraries(), tree.path()).errors.at("deleted_libraries"),
      Catch::StartsWith("not-supported"));
}

TEST_CASE("a real process whose program was removed is found", "[deleted]") {
  sdk::TestTree tree;
  tree.directory("/x");
  const std::string program = tree.path() + "/x/sleeper";
  std::filesystem::copy_file("/bin/sleep", program);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::execl(program.c_str(), program.c_str(), "60", nullptr);
    ::_exit(1);
  }
  const std::string link = "/proc/" + std::to_string(child) + "/exe";
  for (int i = 0; i < 500; ++i) {  // Until the child has become it.
    std::error_code error;
    if (std::filesystem::read_symlink(link, error) == program) break;
    ::usleep(10000);
  }
  std::filesystem::remove(program);

  const auto answer = sdk::run_collector(make_deleted_libraries(), "/");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);

  CHECK(answer.violation.empty());
  CHECK(answer.cell("deleted_libraries", "program", program, "path") == program);
}

}  // namespace
}  // namespace vouch::deleted_libraries
