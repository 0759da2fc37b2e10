// SPDX-License-Identifier: Apache-2.0
// What starts collectors where vouchd may not (docs/privileges.md): socket-activated, with the one
// right that examining needs, without network, and without anything of the daemon's. Each start is
// a process of its own between this one and the collector; it limits the collector, ends whatever
// that leaves behind, and says how it ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "agent/collect/launch.h"
#include "core/file.h"

namespace vouch::agent {

struct SupervisorOptions {
  // A collector must lie below one of these, and nobody but root may be able to change it.
  std::vector<std::string> program_dirs;
  uid_t program_owner = 0;     // Besides root: who may own collectors. Tests own their own.
  std::vector<uid_t> clients;  // Who may ask for a start, as the kernel names the peer.
  std::string cache_root;      // Where each collector has a directory; empty: none.
  int mounts_fd = -1;          // The host's mount table (see host_mounts_fd); the child's 3.
  std::chrono::milliseconds idle{10'000};  // Then serve() returns; the socket starts it again.
  bool one = false;                  // serve() returns after one connection: a unit for each run.
  std::size_t memory_bytes_max = 0;  // Of one process; 0: unlimited.
  std::size_t tasks_max = 0;         // Of all processes of this user; 0: unlimited.
};

// Accepts connections until nothing has happened for `idle`. Returns the exit status.
int serve(const Fd& listener, const SupervisorOptions& options);
// Serves one connection, to the end of its collector. Call it in a process of its own: it adopts
// and kills all that the collector started.
void serve_connection(const Fd& connection, const SupervisorOptions& options);

// A descriptor of /proc/1/mounts that the service manager opened before this process was put into a
// mount namespace of its own: what is mounted on the host, not in the sandbox. -1 if `fd` is none.
int host_mounts_fd(int fd);

}  // namespace vouch::agent
