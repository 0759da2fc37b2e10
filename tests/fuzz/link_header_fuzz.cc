// SPDX-License-Identifier: Apache-2.0
// The Link header of a server, and where its link leads.
#include <cstdlib>

#include "collectors/http_json/link_header.h"
#include "core/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto link = vouch::http_json::next_link(text);
  if (!link || !*link) return 0;
  if (text.find(**link) == std::string_view::npos) std::abort();
  const auto url = vouch::http::resolve_url("https://api.test/users", std::string(**link));
  static_cast<void>(url && vouch::http::origin_of(*url));
  return 0;
}
