// SPDX-License-Identifier: Apache-2.0
#include "core/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/file.h"

namespace vouch {

void notify_manager(std::string_view state) {
  const char* const given = std::getenv("NOTIFY_SOCKET");
  if (given == nullptr || (given[0] != '/' && given[0] != '@')) return;
  const std::string_view path = given;
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // An abstract one.
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  const auto size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + path.size());
  [[maybe_unused]] const ssize_t sent =
      ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const struct sockaddr*>(&address), size);
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const char* const pid = std::getenv("WATCHDOG_PID");
  if (pid != nullptr && std::to_string(::getpid()) != pid) return std::nullopt;
  const char* const given = std::getenv("WATCHDOG_USEC");
  if (given == nullptr) return std::nullopt;
  std::int64_t interval = 0;
  const char* const end = given + std::strlen(given);
  const auto [stop, fault] = std::from_chars(given, end, interval);
  if (fault != std::errc() || stop != end || interval <= 0) return std::nullopt;
  return std::chrono::microseconds(interval);
}

}  // namespace vouch
