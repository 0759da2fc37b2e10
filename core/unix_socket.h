// SPDX-License-Identifier: Apache-2.0
// Sockets of one host (unix(7)): how the programs of the agent meet, and who is at the other end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/file.h"
#include "core/result.h"

namespace vouch {

// Connects to the socket at `path`, of `type` (SOCK_STREAM, SOCK_SEQPACKET); close-on-exec.
// Errc::not_found: there is none; unavailable: nobody listens; denied: not for us.
Result<Fd> connect_unix(const std::string& path, int type);

// The user at the other end when it connected, as the kernel says (SO_PEERCRED).
std::optional<uid_t> peer_user(int connection);

// The one socket that a service manager handed over to this process (sd_listen_fds(3)). Call it
// once: the descriptor is then the caller's. Empty: none, or several.
Fd handed_over_socket();

}  // namespace vouch
