// SPDX-License-Identifier: Apache-2.0
// Holds the daemon's watches where the daemon may not read (docs/privileges.md): socket-activated,
// one client at a time, since there is one daemon. It sees names and times of change; it opens no
// file that it watches.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

#include "core/file.h"

namespace vouch::agent {

struct WatchHolderOptions {
  std::vector<uid_t> clients;              // Who may ask, as the kernel names the peer.
  std::chrono::milliseconds idle{10'000};  // Without a client so long, hold_watches() returns.
};

// Serves one connection of `listener` after the other (docs/formats/watch-stream.md). Returns the
// exit status.
int hold_watches(const Fd& listener, const WatchHolderOptions& options);

}  // namespace vouch::agent
