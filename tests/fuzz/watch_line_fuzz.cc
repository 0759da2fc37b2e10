// SPDX-License-Identifier: Apache-2.0
// A line of the watch stream that parses is written and parsed again to the same change; a request
// likewise. The holder of the watches reads hostile names, and the daemon reads the holder.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/watch/watch_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace agent = vouch::agent;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (const auto change = agent::parse_watch_change(line)) {
    const auto again = agent::parse_watch_change(agent::write_watch_change(*change));
    if (!again || !(*again == *change)) std::abort();
  }
  if (const auto roots = agent::parse_watch_request(line)) {
    const auto again = agent::parse_watch_request(agent::write_watch_request(*roots));
    if (!again || *again != *roots) std::abort();
  }
  return 0;
}
