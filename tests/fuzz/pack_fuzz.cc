// SPDX-License-Identifier: Apache-2.0
// A pack, mapping, framework, waiver or register of any bytes is read or refused, with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policies/engine/framework.h"
#include "policies/engine/pack.h"
#include "policies/engine/register.h"
#include "policies/engine/waiver.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto pack = vouch::policy::load_pack(bytes, "fuzz.yaml");
  if (!pack && !std::string_view(pack.error().message).starts_with("fuzz.yaml:")) std::abort();
  if (pack && pack->text != bytes) std::abort();
  (void)vouch::policy::load_framework(bytes, "fuzz.yaml");
  (void)vouch::policy::load_mapping(bytes, "fuzz.yaml");
  (void)vouch::policy::load_waivers(bytes, "fuzz.yaml");
  (void)vouch::policy::load_register(bytes, "fuzz.yaml");
  return 0;
}
