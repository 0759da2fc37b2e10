// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch_holder.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

#include "agent/watch/watch_stream.h"
#include "core/log.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

// A client that does not read what it asked for is left.
constexpr struct timeval kPatience { 10, 0 };

bool is_client(int connection, const std::vector<uid_t>& clients) {
  const auto user = peer_user(connection);
  return user && std::find(clients.begin(), clients.end(), *user) != clients.end();
}

void serve_client(const Fd& connection, const WatchHolderOptions& options) {
  if (!is_client(connection.get(), options.clients)) {
    return log::warn("watches were asked for by a user who may not");
  }
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (auto served = serve_watches(connection.get()); !served) log::warn(served.error().message);
}

}  // namespace

int hold_watches(const Fd& listener, const WatchHolderOptions& options) {
  for (;;) {
    struct pollfd polled {
      listener.get(), POLLIN, 0
    };
    const int ready = ::poll(&polled, 1, static_cast<int>(options.idle.count()));
    if (ready < 0 && errno != EINTR) return 1;
    if (ready == 0) return 0;
    if (ready < 0) continue;
    const Fd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) serve_client(connection, options);
  }
}

}  // namespace vouch::agent
