// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/dead_mounts.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>

using namespace vouch;
using namespace std::chrono_literals;

TEST_CASE("file systems that ask others are told from those of the host", "[sdk]") {
  const std::string mounts =
      "/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\nhost:/x /mnt/a\\040b nfs4 rw 0 0\n"
      "x /home/ann fuse.sshfs rw 0 0\nfusectl /sys/fs/fuse/connections fusectl rw 0 0\n"
      "host:/x /mnt/a\\040b nfs4 rw 0 0\nauto /auto autofs rw 0 0\nhost:/ / nfs rw 0 0\nbroken\n";

  CHECK(sdk::askable_mount_points(mounts) == std::vector<std::string>{"/mnt/a b", "/home/ann"});
}

TEST_CASE("who does not answer in time is named, and nobody is waited for", "[sdk]") {
  const auto start = std::chrono::steady_clock::now();

  const auto silent = sdk::without_answer({"/good", "/hang", "/also", "/hang2"}, 200ms,
                                          [](const std::string& path) {
                                            if (path.starts_with("/hang")) ::sleep(60);
                                          });

  CHECK(silent == std::set<std::string>{"/hang", "/hang2"});
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}
