// SPDX-License-Identifier: Apache-2.0
#include "core/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace vouch {
namespace {

constexpr int kFirstHandedOver = 3;  // SD_LISTEN_FDS_START

}  // namespace

Result<Fd> connect_unix(const std::string& path, int type) {
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid, path + ": too long for the path of a socket"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket", errno);
  int connected = -1;
  do {
    connected =
        ::connect(fd.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address);
  } while (connected != 0 && errno == EINTR);
  if (connected == 0) return fd;
  const int reason = errno;
  auto error = errno_error("connect to " + path, reason);
  if (reason == ECONNREFUSED) error.code = Errc::unavailable;
  return error;
}

std::optional<uid_t> peer_user(int connection) {
  struct ucred peer {};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

Fd handed_over_socket() {
  const char* const pid = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || std::to_string(::getpid()) != pid) return Fd();
  if (count == nullptr || std::string_view(count) != "1") return Fd();
  Fd fd(kFirstHandedOver);
  // Not for what this process starts. It fails only for what is no descriptor.
  return ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) == 0 ? std::move(fd) : Fd();
}

}  // namespace vouch
