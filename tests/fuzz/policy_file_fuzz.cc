// SPDX-License-Identifier: Apache-2.0
// A policy file that parses is written and parsed again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/policy_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto policy = vouch::policy_file::parse(bytes);
  if (!policy) return 0;
  const auto again = vouch::policy_file::parse(vouch::policy_file::write(*policy));
  if (!again || again->quorum != policy->quorum) std::abort();
  (void)vouch::policy_file::quorum_met(*policy, {});
  return 0;
}
