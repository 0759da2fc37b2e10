// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/foreign_mounts.h"

#include <catch2/catch.hpp>

using namespace vouch;
using sdk::foreign_mount_points;

TEST_CASE("the mount table says where not to go", "[sdk]") {
  const std::string mounts =
      "/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\nhost:/x /mnt/a\\040b nfs4 rw 0 0\n"
      "x /home/ann/fuse fuse.sshfs rw 0 0\n/dev/sdb1 /srv xfs rw 0 0\nbroken\n"
      "host:/y /image/mnt nfs rw 0 0\nhost:/z /imagemnt nfs rw 0 0\n";

  CHECK(foreign_mount_points(mounts, "") ==
        std::set<std::string>{"/proc", "/mnt/a b", "/home/ann/fuse", "/image/mnt", "/imagemnt"});
  CHECK(foreign_mount_points(mounts, "/image") == std::set<std::string>{"/mnt"});
}

TEST_CASE("the kernel's own mounts of this host are known", "[sdk]") {
  const auto root = Root::open("/");
  REQUIRE(root);

  const auto points = sdk::foreign_mounts(*root);

  REQUIRE(points);
  CHECK(points->contains("/proc"));
  CHECK_FALSE(points->contains("/"));
}
