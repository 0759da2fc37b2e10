// SPDX-License-Identifier: Apache-2.0
// A sudoers file, parsed and its aliases expanded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/sudo_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vouch::access::SudoPolicy policy;
  policy.files.push_back({"/etc/sudoers", 0440, 0, 0, vouch::access::parse_sudoers(text)});
  for (const auto& fault : policy.files[0].content.faults) {
    if (fault.line < 1 || fault.message.empty()) std::abort();
  }
  const auto grants = vouch::access::expand_grants(policy);
  if (!grants && grants.error().code != vouch::Errc::too_large) std::abort();
  return 0;
}
