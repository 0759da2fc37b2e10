// SPDX-License-Identifier: Apache-2.0
#include "core/owner.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace vouch {

namespace fs = std::filesystem;

TEST_CASE("files that are no plain files of ours are not read", "[owner]") {
  std::string directory = (fs::temp_directory_path() / "vouch-owner-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(directory + "/" + name) << text;
  };
  const auto read = [&](const std::string& path, uid_t uid) {
    return read_untrusted(path, uid, 1000);
  };
  const std::string path = directory + "/file";
  write("file", "x");
  CHECK(read(path, geteuid()) == "x");

  REQUIRE(symlink(path.c_str(), (directory + "/link").c_str()) == 0);
  CHECK_FALSE(read(directory + "/link", geteuid()));
  REQUIRE(link(path.c_str(), (directory + "/hard").c_str()) == 0);
  CHECK_FALSE(read(path, geteuid()));
  REQUIRE(mkfifo((directory + "/fifo").c_str(), 0600) == 0);
  CHECK_FALSE(read(directory + "/fifo", geteuid()));
  CHECK_FALSE(read("/dev/zero", geteuid()));
  write("huge", std::string(1001, 'x'));
  CHECK_FALSE(read(directory + "/huge", geteuid()));
  if (geteuid() == 0) {
    write("foreign", "x");
    REQUIRE(chown((directory + "/foreign").c_str(), 65534, 65534) == 0);
    CHECK_FALSE(read(directory + "/foreign", 0));
    CHECK(read(directory + "/foreign", 65534));
  }
  CHECK(owner_of(directory) == geteuid());
  CHECK(owner_of(directory + "/none") == geteuid());
  fs::remove_all(directory);
}

}  // namespace vouch
