// SPDX-License-Identifier: Apache-2.0
// Receipts and what goes with them: there is one way to write each.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto proof = vouch::receipt::parse(bytes)) {
    if (vouch::receipt::write(*proof) != bytes) std::abort();
  }
  if (const auto consistency = vouch::receipt::parse_consistency(bytes)) {
    if (vouch::receipt::write_consistency(*consistency) != bytes) std::abort();
  }
  if (const auto contradiction = vouch::receipt::parse_contradiction(bytes)) {
    if (vouch::receipt::write_contradiction(*contradiction) != bytes) std::abort();
  }
  return 0;
}
