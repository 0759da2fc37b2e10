// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watcher.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

namespace fs = std::filesystem;
constexpr int kPatienceMs = 5000;

class Place {
 public:
  Place() {
    std::string name = (fs::temp_directory_path() / "vouch-watch-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = fs::canonical(name).string();
  }
  ~Place() { fs::remove_all(path); }
  Place(const Place&) = delete;
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

void write(const std::string& path, const std::string& text = "x") {
  std::ofstream(path) << text;
}

// What is told once something is; nothing if nothing is.
std::vector<WatchChange> wait_for(Watcher& watcher, int ms = kPatienceMs) {
  struct pollfd polled {
    watcher.fd(), POLLIN, 0
  };
  if (poll(&polled, 1, ms) <= 0) return {};
  auto changes = watcher.read();
  REQUIRE(changes);
  return *changes;
}

// Reads on until nothing is left: events of one act may come in several reads.
std::vector<WatchChange> settle(Watcher& watcher) {
  auto all = wait_for(watcher);
  for (;;) {
    const auto more = wait_for(watcher, 20);
    if (more.empty()) return all;
    all.insert(all.end(), more.begin(), more.end());
  }
}

}  // namespace

TEST_CASE("a file that is written below a watched directory is told at once", "[watch]") {
  Place place;
  fs::create_directories(place / "etc/ssh/keys");
  auto watcher = Watcher::make({{"drift", place / "etc"}, {"access", place / "home"}}).value();
  CHECK(wait_for(*watcher, 0).empty());

  write(place / "etc/ssh/keys/host");

  const auto changes = settle(*watcher);
  REQUIRE_FALSE(changes.empty());
  CHECK(changes[0] == WatchChange{"drift", place / "etc/ssh/keys/host"});
}

TEST_CASE("each kind of change is told: mode, removal, rename, an appended line", "[watch]") {
  Place place;
  fs::create_directory(place / "etc");
  write(place / "etc/file");
  auto watcher = Watcher::make({{"drift", place / "etc"}}).value();
  const auto act = GENERATE(0, 1, 2, 3, 4);

  if (act == 0) fs::permissions(place / "etc/file", fs::perms::owner_read);
  if (act == 1) fs::remove(place / "etc/file");
  if (act == 2) fs::rename(place / "etc/file", place / "etc/other");
  if (act == 3) std::ofstream(place / "etc/file", std::ios::app) << "line";
  if (act == 4) fs::create_symlink("/dev/null", place / "etc/link");

  CAPTURE(act);
  CHECK_FALSE(settle(*watcher).empty());
}

TEST_CASE("what happens beside the watched paths is not told", "[watch]") {
  Place place;
  fs::create_directories(place / "etc/ssh");
  write(place / "etc/passwd");
  auto watcher =
      Watcher::make({{"drift", place / "etc/ssh"}, {"drift", place / "etc/passwd"}}).value();

  write(place / "etc/group");
  write(place / "etc/passwd-");
  fs::create_directory(place / "etc/ssh2");

  CHECK(settle(*watcher).empty());
}

TEST_CASE("new directories are watched too, also those that come by a rename", "[watch]") {
  Place place;
  fs::create_directory(place / "etc");
  fs::create_directories(place / "elsewhere/deep");
  auto watcher = Watcher::make({{"drift", place / "etc"}}).value();

  fs::create_directory(place / "etc/new");
  CHECK_FALSE(settle(*watcher).empty());
  write(place / "etc/new/file");
  CHECK_FALSE(settle(*watcher).empty());

  fs::rename(place / "elsewhere", place / "etc/moved");
  CHECK_FALSE(settle(*watcher).empty());
  write(place / "etc/moved/deep/file");
  CHECK(settle(*watcher).front().path == place / "etc/moved/deep/file");

  fs::rename(place / "etc/moved", place / "gone");  // Not below it any more.
  CHECK_FALSE(settle(*watcher).empty());
  write(place / "gone/deep/file", "y");
  CHECK(settle(*watcher).empty());
}

TEST_CASE("a file that an editor replaces is followed by its name", "[watch]") {
  Place place;
  fs::create_directory(place / "etc");
  write(place / "etc/passwd");
  auto watcher = Watcher::make({{"access", place / "etc/passwd"}}).value();

  for (int i = 0; i < 3; ++i) {
    write(place / "etc/passwd.new");
    fs::rename(place / "etc/passwd.new", place / "etc/passwd");
    const auto changes = settle(*watcher);
    REQUIRE_FALSE(changes.empty());
    CHECK(changes[0] == WatchChange{"access", place / "etc/passwd"});
  }
}

TEST_CASE("a path that does not exist yet is noticed when it comes, goes and comes again",
          "[watch]") {
  Place place;
  auto watcher = Watcher::make({{"drift", place / "a/b/c"}}).value();

  for (int i = 0; i < 2; ++i) {
    fs::create_directories(place / "a/b/c");
    CHECK_FALSE(settle(*watcher).empty());
    write(place / "a/b/c/file");
    CHECK(settle(*watcher).front().path == place / "a/b/c/file");
    fs::remove_all(place / "a");
    CHECK_FALSE(settle(*watcher).empty());
  }
}

TEST_CASE("a directory that is replaced by another one is watched on", "[watch]") {
  Place place;
  fs::create_directories(place / "etc/ssh");
  fs::create_directories(place / "other");
  auto watcher = Watcher::make({{"drift", place / "etc/ssh"}}).value();

  fs::rename(place / "etc/ssh", place / "old");
  fs::rename(place / "other", place / "etc/ssh");
  CHECK_FALSE(settle(*watcher).empty());
  write(place / "etc/ssh/file");

  CHECK(settle(*watcher).front().path == place / "etc/ssh/file");
}

TEST_CASE("where a link leads to is watched as well", "[watch]") {
  Place place;
  fs::create_directories(place / "run");
  fs::create_directories(place / "etc");
  write(place / "run/resolv.conf");
  fs::create_symlink(place / "run/resolv.conf", place / "etc/resolv.conf");
  auto watcher = Watcher::make({{"drift", place / "etc/resolv.conf"}}).value();

  write(place / "run/resolv.conf", "y");

  CHECK(settle(*watcher).front().path == place / "run/resolv.conf");
}

TEST_CASE("a name that is no text is told in the form of a bytes cell", "[watch]") {
  Place place;
  fs::create_directory(place / "etc");
  auto watcher = Watcher::make({{"drift", place / "etc"}}).value();

  write(place / "etc/a\\b\xff\n");

  CHECK(settle(*watcher).front().path == place / "etc/a\\\\b\\xff\\x0a");
}

TEST_CASE("more directories than the bound leave the rest to the schedule, and nothing breaks",
          "[watch]") {
  Place place;
  for (int i = 0; i < 10; ++i) fs::create_directories(place / ("etc/" + std::to_string(i)));
  auto watcher = Watcher::make({{"drift", place / "etc"}}, {4, 0}).value();

  write(place / "etc/file");

  CHECK_FALSE(settle(*watcher).empty());
}

TEST_CASE("lost events are answered by everything, at once or after a rest", "[watch]") {
  Place place;
  fs::create_directory(place / "etc");
  write(place / "etc/a");
  write(place / "etc/b");
  const WatchLimits limits{100, GENERATE(0, 500)};
  auto watcher =
      Watcher::make({{"drift", place / "etc"}, {"access", place / "etc"}}, limits).value();
  int queue = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue;
  if (queue <= 0 || queue > 100'000) return;  // Would take too long to fill.

  for (int i = 0; i <= queue; ++i) {  // Two in turn: equal neighbours are merged.
    REQUIRE(chmod((place / (i % 2 == 0 ? "etc/a" : "etc/b")).c_str(), 0600) == 0);
  }
  std::set<std::string> whole;  // Who was told of the root.
  for (int i = 0; i < 1000 && whole.size() < 2; ++i) {
    for (const WatchChange& change : wait_for(*watcher)) {
      if (change.path == place / "etc") whole.insert(change.collector);
    }
  }

  CHECK(whole == std::set<std::string>{"access", "drift"});
  write(place / "etc/after");
  CHECK_FALSE(settle(*watcher).empty());
}

}  // namespace vouch::agent
