// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch_stream.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    daemon = Fd(ends[0]);
    holder = Fd(ends[1]);
  }
  Fd daemon, holder;
};

std::vector<WatchChange> wait_for(WatchSource& source) {
  struct pollfd polled {
    source.fd(), POLLIN, 0
  };
  if (poll(&polled, 1, 5000) <= 0) return {};
  return source.read().value();
}

}  // namespace

TEST_CASE("what is written is read back", "[watch]") {
  const std::vector<WatchRoot> roots{{"drift", "/etc/ssh"}, {"access@nas", "/srv/a\\\\b"}};
  const WatchChange change{"drift", "/etc/ssh/\\xff"};

  CHECK(parse_watch_request(write_watch_request(roots)).value() == roots);
  CHECK(parse_watch_change(write_watch_change(change)).value() == change);
}

TEST_CASE("lines that are none are refused", "[watch]") {
  const std::string bad =
      GENERATE(as<std::string>{}, "", "{}", "[]", R"({"changed":{"collector":"drift"}})",
               R"({"changed":{"collector":"","path":"/x"}})",
               R"({"changed":{"collector":"drift","path":"etc"}})",
               R"({"changed":{"collector":"drift","path":7}})", R"({"watch":{}})");

  CHECK_FALSE(parse_watch_change(bad));
  CHECK_FALSE(parse_watch_request(bad));
}

TEST_CASE("another process can hold the watches", "[watch]") {
  std::string name = (std::filesystem::temp_directory_path() / "vouch-stream-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  Pair pair;
  Status served = Ok{};
  std::thread holder([&] { served = serve_watches(pair.holder.get()); });
  {
    auto stream = WatchStream::open(std::move(pair.daemon), {{"drift", name}}).value();
    std::vector<WatchChange> changes;
    // The watches may not stand when the first file is written: then another one is.
    for (int i = 0; i < 100 && changes.empty(); ++i) {
      std::ofstream(name + "/file" + std::to_string(i)) << "x";
      struct pollfd polled {
        stream->fd(), POLLIN, 0
      };
      if (poll(&polled, 1, 50) > 0) changes = stream->read().value();
    }
    REQUIRE_FALSE(changes.empty());
    CHECK(changes[0].collector == "drift");
    CHECK(changes[0].path.starts_with(name + "/file"));
  }
  holder.join();
  CHECK(served);
  std::filesystem::remove_all(name);
}

TEST_CASE("half a line waits for its other half, and the end is told", "[watch]") {
  Pair pair;
  auto stream = WatchStream::open(std::move(pair.daemon), {}).value();
  const std::string line = write_watch_change({"drift", "/etc"}) + "\n";
  REQUIRE(write_all(pair.holder.get(), line.substr(0, 10), "test"));
  CHECK(wait_for(*stream).empty());
  REQUIRE(write_all(pair.holder.get(), line.substr(10) + line, "test"));
  CHECK(wait_for(*stream).size() == 2);

  pair.holder.reset();

  const auto end = stream->read();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Errc::unavailable);
}

TEST_CASE("a line without an end is refused before it fills the memory", "[watch]") {
  Pair pair;
  auto stream = WatchStream::open(std::move(pair.daemon), {}).value();
  std::thread writer([&] {
    const std::string junk(kWatchLineBytesMax + 4096, 'x');
    [[maybe_unused]] const auto sent = write_all(pair.holder.get(), junk, "test");
  });
  Result<std::vector<WatchChange>> last = std::vector<WatchChange>();
  for (int i = 0; i < 1000 && last; ++i) {
    struct pollfd polled {
      stream->fd(), POLLIN, 0
    };
    if (poll(&polled, 1, 5000) > 0) last = stream->read();
  }
  stream.reset();
  writer.join();

  REQUIRE_FALSE(last);
  CHECK(last.error().code == Errc::too_large);
}

}  // namespace vouch::agent
