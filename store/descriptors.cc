// SPDX-License-Identifier: Apache-2.0
#include "store/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace vouch::store {

Result<std::size_t> raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("getrlimit", errno);
  if (limit.rlim_cur >= wanted) return static_cast<std::size_t>(limit.rlim_cur);
  if (limit.rlim_max < wanted) {
    // Only root may; the soft limit is raised as far as it goes in any case.
    const rlimit higher{wanted, wanted};
    if (::setrlimit(RLIMIT_NOFILE, &higher) == 0) return wanted;
  }
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("setrlimit", errno);
  return static_cast<std::size_t>(limit.rlim_cur);
}

Result<std::size_t> connections_that_fit(std::size_t connections_max, std::size_t descriptors) {
  if (descriptors <= kDescriptorsBesideConnections) {
    return Error{Errc::unavailable,
                 "the limit of " + std::to_string(descriptors) +
                     " open files leaves no room for connections: raise it to " +
                     std::to_string(connections_max + kDescriptorsBesideConnections) +
                     " (LimitNOFILE= of the unit, or ulimit -n)"};
  }
  return std::min(connections_max, descriptors - kDescriptorsBesideConnections);
}

}  // namespace vouch::store
