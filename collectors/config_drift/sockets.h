// SPDX-License-Identifier: Apache-2.0
// Sockets that wait for others: listening TCP and unconnected UDP, IPv4 and IPv6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::drift {

struct Listener {
  std::string protocol;  // "tcp", "udp".
  std::string family;    // "ipv4", "ipv6".
  std::string address;
  int port = 0;
  std::int64_t uid = 0;
  std::uint64_t cgroup_id = 0;  // 0: not known.
};

// From the kernel by netlink (sock_diag(7)), of the calling process's network namespace.
Result<std::vector<Listener>> query_listeners();

// From the text of /proc/net/{tcp,tcp6,udp,udp6}; `protocol` is the file's. The cgroup stays
// unknown. Errc::invalid, naming the line, if one does not parse.
Result<std::vector<Listener>> parse_proc_net(std::string_view text, std::string_view protocol,
                                             bool is_ipv6);

}  // namespace vouch::drift
