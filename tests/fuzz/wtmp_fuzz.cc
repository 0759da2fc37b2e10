// SPDX-License-Identifier: Apache-2.0
// wtmp in pieces: however it is cut, the answer is the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/login_records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  vouch::access::WtmpReader whole;
  whole.feed(bytes);
  vouch::access::WtmpReader pieces;
  const std::size_t step = size == 0 ? 1 : 1 + data[0];
  for (std::size_t at = 0; at < size; at += step) pieces.feed(bytes.substr(at, step));
  if (whole.logins() != pieces.logins() || whole.leftover() != pieces.leftover()) std::abort();
  (void)vouch::access::parse_lastlog_record(bytes);
  return 0;
}
