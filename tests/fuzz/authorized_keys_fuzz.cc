// SPDX-License-Identifier: Apache-2.0
// Files of SSH keys, which any user can write.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/authorized_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& key : vouch::access::parse_authorized_keys(text).entries) {
    // "SHA256:" and 43 digits of base64.
    if (key.fingerprint.size() != 50 || (key.bits && *key.bits < 1)) std::abort();
  }
  vouch::access::PasswdEntry user;
  user.name = "ann";
  user.directory = "/home/ann";
  const auto path = vouch::access::expand_key_path(text, user);
  if (path && !path->starts_with('/')) std::abort();
  return 0;
}
