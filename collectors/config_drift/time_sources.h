// SPDX-License-Identifier: Apache-2.0
// Where a host takes its time from, as the configurations of the time daemons say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct TimeSource {
  std::string kind;            // "server", "pool", "peer", "refclock"
  std::string address;         // Host name, address or driver.
  bool authenticated = false;  // By NTS or a key.
};

struct TimeSourcesFile {
  std::vector<TimeSource> sources;
  std::vector<std::string> directories;  // confdir and sourcedir of chrony, include of both.
};

// chrony.conf(5), *.sources, ntp.conf(5) and ntpsec's: the same words for what matters here.
TimeSourcesFile parse_time_sources(std::string_view text);

}  // namespace vouch::drift
