// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch_holder.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/watch/watch_stream.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

// A holder that listens in a directory of its own, until `idle` after its last client.
struct Holder {
  explicit Holder(std::vector<uid_t> clients) {
    REQUIRE(mkdtemp(dir.data()) != nullptr);
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    REQUIRE(::bind(listener.get(), reinterpret_cast<const struct sockaddr*>(&address),
                   sizeof address) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    thread = std::thread([this, listener = std::move(listener), clients = std::move(clients)] {
      status = hold_watches(listener, {clients, std::chrono::milliseconds(300)});
    });
  }
  ~Holder() {
    if (thread.joinable()) thread.join();
    std::filesystem::remove_all(dir);
  }
  [[nodiscard]] std::string path() const { return dir + "/watch.stream"; }

  std::string dir = (std::filesystem::temp_directory_path() / "vouch-holder-XXXXXX").string();
  std::thread thread;
  int status = -1;
};

std::unique_ptr<WatchStream> ask(const Holder& holder) {
  auto connection = connect_unix(holder.path(), SOCK_STREAM).value();
  return WatchStream::open(std::move(connection), {{"drift", holder.dir}}).value();
}

bool is_told(WatchStream& stream, const std::string& dir) {
  for (int i = 0; i < 100; ++i) {
    std::ofstream(dir + "/file" + std::to_string(i)) << "x";
    struct pollfd polled {
      stream.fd(), POLLIN, 0
    };
    if (poll(&polled, 1, 50) > 0) return stream.read().value().at(0).collector == "drift";
  }
  return false;
}

}  // namespace

TEST_CASE("one client after the other is told of changes, and the holder ends when idle",
          "[watch]") {
  Holder holder({::geteuid()});

  for (int client = 0; client < 2; ++client) {
    const auto stream = ask(holder);
    CHECK(is_told(*stream, holder.dir));
  }

  holder.thread.join();
  CHECK(holder.status == 0);
}

TEST_CASE("a user who may not ask is told nothing", "[watch]") {
  Holder holder({::geteuid() + 1});
  const auto stream = ask(holder);
  std::ofstream(holder.dir + "/file") << "x";
  struct pollfd polled {
    stream->fd(), POLLIN, 0
  };

  REQUIRE(poll(&polled, 1, 5000) == 1);
  CHECK_FALSE(stream->read());
}

TEST_CASE("a client that speaks nonsense does not keep the next one out", "[watch]") {
  Holder holder({::geteuid()});
  {
    const auto connection = connect_unix(holder.path(), SOCK_STREAM).value();
    REQUIRE(write_all(connection.get(), "GET / HTTP/1.1\n", "test"));
    char byte = 0;
    CHECK(::read(connection.get(), &byte, 1) == 0);
  }

  const auto stream = ask(holder);
  CHECK(is_told(*stream, holder.dir));
}

}  // namespace vouch::agent
