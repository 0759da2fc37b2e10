// SPDX-License-Identifier: Apache-2.0
// A join string that parses is written and parsed again to the same parts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/join_string.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto join = vouch::parse_join_string(bytes);
  if (!join) return 0;
  const auto again = vouch::parse_join_string(vouch::write_join_string(*join));
  if (!again || again->token_secret != join->token_secret || again->pin != join->pin ||
      again->host != join->host || again->port != join->port || again->tls != join->tls) {
    std::abort();
  }
  return 0;
}
