// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/testing.h"

namespace vouch::patch_level {
namespace {

TEST_CASE("a password in apt's configuration is redacted, a switch that is named so is not",
          "[apt_config]") {
  sdk::TestTree tree;
  tree.file(
          "/etc/apt/apt.conf.d/50x",
          "Acquire::http::Proxy-Password \"hunter2\";\nAPT::Get::AllowUnauthenticated \"true\";\n")
      .file("/var/lib/dpkg/status", "");

  const auto answer =
      sdk::run_collector(make_patch_level(), tree.path(), {.tables = {"apt_config"}});

  CHECK(answer.cell("apt_config", "name", "Acquire::http::Proxy-Password", "value") ==
        "[redacted]");
  CHECK(answer.cell("apt_config", "name", "APT::Get::AllowUnauthenticated", "value") == "true");
  CHECK(answer.raw.find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace vouch::patch_level
