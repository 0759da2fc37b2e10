// SPDX-License-Identifier: Apache-2.0
// Table blobs, outcomes tables and policy sets. A blob that passes is what its own rows make.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proto/outcomes.h"
#include "proto/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)vouch::check_table_form(bytes);
  (void)vouch::parse_policy_set(bytes);
  (void)vouch::check_table(vouch::gaps_schema(), bytes);
  if (const auto outcomes = vouch::read_outcomes(bytes)) {
    const auto again = vouch::write_outcomes(*outcomes);
    if (!again || again->bytes != bytes) std::abort();
  }
  const auto cell = vouch::encode_bytes_cell(bytes);
  if (!vouch::is_bytes_cell(cell)) std::abort();
  if (vouch::is_bytes_cell(bytes) && bytes.find('\\') == bytes.npos && cell != bytes) std::abort();
  return 0;
}
