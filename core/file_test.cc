// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

using namespace vouch;

namespace {

// A directory of its own for each test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = "/tmp/vouch-file-test-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryDirectory() { std::system(("chmod -R u+rwx " + path_ + "; rm -rf " + path_).c_str()); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a file written durably is read back with its mode, whatever the umask", "[file]") {
  const TemporaryDirectory dir;
  const mode_t before = ::umask(0077);

  REQUIRE(write_file_durable(dir / "a", "one", 0644));
  REQUIRE(write_file_durable(dir / "a", "two", 0644));
  ::umask(before);

  CHECK(read_file(dir / "a", 3).value() == "two");
  CHECK(mode_of(dir / "a") == 0644);
  CHECK(list_directory(dir.path(), 10).value() == std::vector<std::string>{"a"});
}

TEST_CASE("a failed durable write leaves the old file and no temporary one", "[file]") {
  const TemporaryDirectory dir;
  REQUIRE(make_directories(dir / "taken"));
  REQUIRE(write_file_durable(dir / "taken/inside", "x"));

  // A directory that is not empty cannot be renamed over: the write fails at its last step.
  const auto failed = write_file_durable(dir / "taken", "new");

  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().message, Catch::Contains("taken"));
  CHECK(list_directory(dir.path(), 10).value() == std::vector<std::string>{"taken"});
}

TEST_CASE("a durable write may put its temporary file into another directory", "[file]") {
  const TemporaryDirectory dir;
  REQUIRE(make_directories(dir / "tmp"));

  REQUIRE(write_file_durable_via(dir / "tmp", dir / "done", "bytes", 0600));

  CHECK(read_file(dir / "done", 100).value() == "bytes");
  CHECK(list_directory(dir / "tmp", 10).value().empty());
  CHECK(write_file_durable_via(dir / "none", dir / "x", "").error().code == Errc::not_found);
}

TEST_CASE("a read is bounded exactly", "[file]") {
  const TemporaryDirectory dir;
  const std::string bytes(200000, 'x');
  REQUIRE(write_file_durable(dir / "a", bytes));

  CHECK(read_file(dir / "a", bytes.size()).value() == bytes);
  CHECK(read_file(dir / "a", bytes.size() - 1).error().code == Errc::too_large);
  CHECK(read_file(dir / "a", 0).error().code == Errc::too_large);
}

TEST_CASE("only regular files are read, and a FIFO does not block", "[file]") {
  const TemporaryDirectory dir;
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);

  CHECK(read_file(dir / "fifo", 10).error().code == Errc::invalid);
  CHECK(read_file(dir.path(), 10).error().code == Errc::invalid);
  CHECK(read_file(dir / "none", 10).error().code == Errc::not_found);
}

TEST_CASE("a pipe is read to its end", "[file]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  REQUIRE(write_all(writer.get(), "through a pipe", "pipe"));
  writer.reset();

  CHECK(read_all(reader.get(), 14, "pipe").value() == "through a pipe");
}

TEST_CASE("directories are made with their parents, and again without harm", "[file]") {
  const TemporaryDirectory dir;

  REQUIRE(make_directories(dir / "a/b/c", 0700));
  REQUIRE(make_directories(dir / "a/b/c", 0700));
  REQUIRE(write_file_durable(dir / "a/file", ""));

  CHECK(mode_of(dir / "a/b") == 0700);
  CHECK_FALSE(make_directories(dir / "a/file/x"));
}

TEST_CASE("names in a directory are sorted and counted", "[file]") {
  const TemporaryDirectory dir;
  for (const auto* name : {"b", "a", "B"}) REQUIRE(write_file_durable(dir / name, ""));

  CHECK(list_directory(dir.path(), 3).value() == std::vector<std::string>{"B", "a", "b"});
  CHECK(list_directory(dir.path(), 2).error().code == Errc::too_large);
  CHECK(list_directory(dir / "none", 2).error().code == Errc::not_found);
}

TEST_CASE("removing a file twice is fine, renaming a missing one is not", "[file]") {
  const TemporaryDirectory dir;
  REQUIRE(make_directories(dir / "sub"));
  REQUIRE(write_file_durable(dir / "a", "x"));

  REQUIRE(rename_durable(dir / "a", dir / "sub/b"));
  CHECK(file_exists(dir / "sub/b"));
  REQUIRE(remove_file(dir / "sub/b"));
  REQUIRE(remove_file(dir / "sub/b"));

  CHECK_FALSE(file_exists(dir / "sub/b"));
  CHECK(rename_durable(dir / "a", dir / "c").error().code == Errc::not_found);
}

TEST_CASE("a path that others could change is not trusted", "[file]") {
  const TemporaryDirectory dir;  // In /tmp: sticky and writable by all, which is accepted.
  REQUIRE(make_directories(dir / "d", 0755));
  REQUIRE(write_file_durable(dir / "d/f", "x", 0644));
  const uid_t self = ::getuid();

  CHECK(require_trusted_path(dir / "d/f", self));

  SECTION("the file is writable by its group") {
    REQUIRE(::chmod((dir / "d/f").c_str(), 0664) == 0);
    const auto refused = require_trusted_path(dir / "d/f", self);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK_THAT(refused.error().message, Catch::Contains("d/f") && Catch::Contains("chmod go-w"));
  }
  SECTION("a parent directory is writable by others") {
    REQUIRE(::chmod((dir / "d").c_str(), 0757) == 0);
    CHECK(require_trusted_path(dir / "d/f", self).error().code == Errc::denied);
  }
  SECTION("the directory of a symbolic link is writable by others") {
    REQUIRE(make_directories(dir / "links", 0755));
    REQUIRE(::symlink((dir / "d/f").c_str(), (dir / "links/l").c_str()) == 0);
    CHECK(require_trusted_path(dir / "links/l", self));
    REQUIRE(::chmod((dir / "links").c_str(), 0777) == 0);
    CHECK(require_trusted_path(dir / "links/l", self).error().code == Errc::denied);
  }
  SECTION("the file belongs to somebody else") {
    if (self != 0) return;  // Only root can give files away.
    REQUIRE(::chown((dir / "d/f").c_str(), 12345, 12345) == 0);
    CHECK(require_trusted_path(dir / "d/f", self).error().code == Errc::denied);
    CHECK(require_trusted_path(dir / "d/f", 12345));
  }
  SECTION("it does not exist") {
    CHECK(require_trusted_path(dir / "d/none", self).error().code == Errc::not_found);
  }
}
