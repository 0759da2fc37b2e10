// SPDX-License-Identifier: Apache-2.0
#include "core/journal.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/file.h"

namespace vouch::journal {

void append_field(std::string& entry, std::string_view name, std::string_view value) {
  entry += name;
  if (value.find('\n') == std::string_view::npos) {
    entry += '=';
  } else {
    entry += '\n';
    for (int i = 0; i < 8; ++i) entry += static_cast<char>((value.size() >> (8 * i)) & 0xff);
  }
  entry += value;
  entry += '\n';
}

bool takes_stderr() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

bool send(std::string_view entry, const char* socket) {
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (!fd || std::strlen(socket) >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, socket, std::strlen(socket));  // The rest is zero.
  const ssize_t sent = ::sendto(fd.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const struct sockaddr*>(&address), sizeof address);
  return sent == static_cast<ssize_t>(entry.size());
}

}  // namespace vouch::journal
