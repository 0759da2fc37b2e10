// SPDX-License-Identifier: Apache-2.0
// Manifests of purges: what is read, written again, is what was read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/verify/statements.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto digests = vouch::verify::parse_digest_list(bytes);
  if (!digests) return 0;
  std::string again;
  for (const auto& digest : *digests) again += digest + "\n";
  if (again != bytes) __builtin_trap();
  return 0;
}
