// SPDX-License-Identifier: Apache-2.0
// Drop notices: what parses has one agent, one bundle and each lost blob once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "proto/drop_notice.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto opened = vouch::drop_notice::parse(bytes);
  // Most mutations break the base64: the payload is tried by itself as well.
  if (!opened) {
    opened = vouch::drop_notice::parse(
        vouch::dsse::write({std::string(bytes), std::string(vouch::dsse::kPayloadType), "", "s"}));
  }
  if (!opened) return 0;
  std::set<std::string_view> digests;
  for (const auto& subject : opened->notice.lost) digests.insert(subject.sha256);
  if (digests.empty() || digests.size() != opened->notice.lost.size()) std::abort();
  return 0;
}
