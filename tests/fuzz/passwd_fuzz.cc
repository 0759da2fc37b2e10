// SPDX-License-Identifier: Apache-2.0
// The account files. A password field must never come out of a parser.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/accounts.h"
#include "collectors/access_review/name_service.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto accounts = vouch::access::parse_passwd(text);
  for (const auto& entry : accounts.entries) {
    if (entry.name.empty() || entry.uid < 0 || entry.uid > 0xFFFFFFFF) std::abort();
  }
  (void)vouch::access::parse_group(text);
  for (const auto& entry : vouch::access::parse_shadow(text).entries) {
    if (entry.password.hash_alg.size() > 13) std::abort();
  }
  (void)vouch::access::parse_login_defs(text);
  (void)vouch::access::remote_sources(text, "passwd");
  return 0;
}
