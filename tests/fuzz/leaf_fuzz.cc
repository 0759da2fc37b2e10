// SPDX-License-Identifier: Apache-2.0
// A log entry that parses can be written, and is then read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/leaf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto leaf = vouch::leaf::parse(bytes);
  if (!leaf) return 0;
  const auto again = vouch::leaf::write(*leaf);
  if (!again || !vouch::leaf::parse(*again)) std::abort();
  return 0;
}
