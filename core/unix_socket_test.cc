// SPDX-License-Identifier: Apache-2.0
#include "core/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace vouch {
namespace {

Fd bind_at(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) ==
          0);
  return fd;
}

// Whether a socket is taken over where descriptor 3 is one, or none, and the manager says so.
bool takes_over(bool is_open, const char* count, bool ours) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (is_open) ::dup2(socket, 3);
    if (!is_open) ::close(3);
    ::setenv("LISTEN_PID", std::to_string(::getpid() + (ours ? 0 : 1)).c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    const Fd fd = handed_over_socket();
    const bool good = fd.get() == 3 && (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a socket of this host is connected to, or the reason is told apart", "[socket]") {
  std::string dir = (std::filesystem::temp_directory_path() / "vouch-socket-XXXXXX").string();
  REQUIRE(::mkdtemp(dir.data()) != nullptr);
  const std::string path = dir + "/socket";

  CHECK(connect_unix(path, SOCK_STREAM).error().code == Errc::not_found);
  const Fd listener = bind_at(path);
  CHECK(connect_unix(path, SOCK_STREAM).error().code == Errc::unavailable);
  REQUIRE(::listen(listener.get(), 1) == 0);
  CHECK(connect_unix(path, SOCK_STREAM));
  CHECK(connect_unix(std::string(200, 'x'), SOCK_STREAM).error().code == Errc::invalid);
  std::filesystem::remove_all(dir);
}

TEST_CASE("the kernel names the user at the other end", "[socket]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const Fd here(ends[0]);
  const Fd there(ends[1]);

  CHECK(peer_user(here.get()) == ::geteuid());
  CHECK_FALSE(peer_user(STDIN_FILENO + 1000));
}

TEST_CASE("a socket is taken over from the service manager", "[socket]") {
  CHECK(takes_over(true, "1", true));
  CHECK_FALSE(takes_over(true, "2", true));
  CHECK_FALSE(takes_over(true, "1", false));
  CHECK_FALSE(takes_over(false, "1", true));
}

}  // namespace vouch
