// SPDX-License-Identifier: Apache-2.0
// Envelopes and statements: what parses is written again and parses to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/statement.h"
#include "proto/subjects.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto envelope = vouch::dsse::parse(bytes);
  if (envelope) {
    const auto again = vouch::dsse::parse(vouch::dsse::write(*envelope));
    if (!again || again->payload != envelope->payload) std::abort();
  }
  const auto statement = vouch::parse_statement(envelope ? envelope->payload : bytes);
  if (!statement) return 0;
  const auto written = vouch::write_statement(*statement);
  if (!written || vouch::parse_statement(*written)->subject != statement->subject) std::abort();
  const auto& bundle = statement->bundle;
  auto link = vouch::first_link(bundle.agent.id, bundle.agent.machine, "");
  (void)vouch::check_link(link, *statement);
  (void)vouch::check_schedule(link, *statement, {{"access_review", 0, 300, 30}});
  (void)vouch::find_anomalies(vouch::link_after(*statement, bundle.prev, ""), *statement);
  (void)vouch::name_subjects(vouch::blobs_of_bundle(bundle));
  return 0;
}
