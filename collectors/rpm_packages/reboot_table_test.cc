// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/reboot_table.h"

#include <catch2/catch.hpp>

using namespace vouch;
using namespace vouch::rpm_packages;

TEST_CASE("the start of the kernel is read where it says so", "[reboot]") {
  CHECK(boot_time("cpu  1 2\nintr 5\nbtime 1700000000\nprocesses 3\n") == 1700000000);
  CHECK_FALSE(boot_time("cpu 1\n"));
  CHECK_FALSE(boot_time("btime\n"));
  CHECK_FALSE(boot_time("btime 12x\n"));
  CHECK_FALSE(boot_time("btime 0\n"));
}

TEST_CASE("what only a reboot replaces is known by its name", "[reboot]") {
  CHECK(needs_reboot("glibc"));
  CHECK(needs_reboot("kernel-core"));
  CHECK_FALSE(needs_reboot("glibc-common"));
  CHECK_FALSE(needs_reboot(""));
}
