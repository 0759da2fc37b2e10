// SPDX-License-Identifier: Apache-2.0
#include "core/file_digest.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/digest.h"

namespace vouch {
namespace {

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "vouch-digest-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
    return path + "/" + name;
  }
  std::string path;
};

}  // namespace

TEST_CASE("the digest of a file is that of its bytes", "[file_digest]") {
  const Directory directory;
  const std::string text(200'000, 'x');
  CHECK(file_digest(directory.write("a", text)).value() == sha256_hex(text));
}

TEST_CASE("a FIFO and a directory have no digest, and block nobody", "[file_digest]") {
  const Directory directory;
  const std::string fifo = directory.path + "/fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);

  CHECK(file_digest(fifo).error().code == Errc::invalid);
  CHECK(file_digest(directory.path).error().code == Errc::invalid);
  CHECK(file_digest(directory.path + "/absent").error().code == Errc::not_found);
}

TEST_CASE("a file that was replaced has another mark and is read again", "[file_digest]") {
  const Directory directory;
  const std::string path = directory.write("a", "one");
  FileDigests digests;
  const auto before = digests.of(path).value();
  CHECK(digests.of(path).value().mark == before.mark);

  std::filesystem::rename(directory.write("b", "two"), path);  // The same size.
  const auto after = digests.of(path).value();

  CHECK(after.digest == sha256_hex("two"));
  CHECK(after.mark.text() != before.mark.text());
}

}  // namespace vouch
