// SPDX-License-Identifier: Apache-2.0
// Public keys from outside, and signatures under them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proto/keys.h"
#include "proto/names.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto run = vouch::parse_run_id(bytes)) {
    if (vouch::write_run_id(*run) != bytes) std::abort();
  }
  for (const std::size_t length : {std::size_t{32}, std::size_t{44}, std::size_t{91}}) {
    if (bytes.size() < length) continue;
    const auto head = bytes.substr(0, length);
    const auto key =
        length == 32 ? vouch::PublicKey::from_ed25519(head) : vouch::PublicKey::from_spki(head);
    if (!key) continue;
    if (key->spki().substr(key->spki().size() - key->raw().size()) != key->raw()) std::abort();
    (void)key->verify("message", bytes.substr(length));
  }
  return 0;
}
