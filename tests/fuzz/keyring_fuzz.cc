// SPDX-License-Identifier: Apache-2.0
// OpenPGP keyrings: every key that is read has a name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/patch_level/openpgp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto keys = vouch::patch_level::parse_keyring(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!keys) return keys.error().message.empty() ? std::abort(), 0 : 0;
  for (const vouch::patch_level::OpenpgpKey& key : *keys) {
    if (key.fingerprint.size() != 40) std::abort();
  }
  return 0;
}
