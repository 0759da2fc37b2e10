// SPDX-License-Identifier: Apache-2.0
// apt.conf: whatever was read, each item has a name and can be looked up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/patch_level/apt_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vouch::patch_level::AptConfig config;
  const auto status = config.read({reinterpret_cast<const char*>(data), size});
  if (!status && status.error().message.empty()) std::abort();
  for (const auto& item : config.items()) {
    if (!item.value.empty() && config.list(item.name).empty() && !item.name.ends_with("::")) {
      std::abort();
    }
  }
  return 0;
}
