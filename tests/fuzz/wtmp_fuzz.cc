// SPDX-License-Identifier: Apache-2.0
// wtmp in pieces: however it is cut, the answer is the same. btmp: no name leaves that is no
// account. A tally of pam_faillock, which belongs to its user. A line of the
// journal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collectors/access_review/failed_logins.h"
#include "collectors/access_review/login_journal.h"
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
  vouch::access::FailedLogins failed({"root"}, 0);
  failed.feed(bytes);
  for (const auto& [key, count] : failed.counts()) {
    if ((!key.first.empty() && key.first != "root") || count <= 0) std::abort();
  }
  const auto tally = vouch::access::parse_tally(bytes);
  if (tally.failures < 0 || tally.newest.has_value() != (tally.failures > 0)) std::abort();
  const auto login = vouch::access::parse_session_line(bytes);
  if (login && *login && (*login)->at < 0) std::abort();
  return 0;
}
