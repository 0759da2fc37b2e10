// SPDX-License-Identifier: Apache-2.0
// What must hold after any crash or fault, and a start.
#pragma once

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {

inline void check_after(World& world) {
  world.clock.advance(1000);
  const auto agent = world.start();
  const auto polled = agent->poll();
  if (!polled) FAIL(polled.error().message);
  REQUIRE(agent->seal());
  State& state = agent->state();
  check_chain(state);
  const auto waiting = state.bundles.in_state(BundleState::waiting).value();
  std::vector<std::int64_t> seqs;
  for (const auto& bundle : waiting) {
    seqs.push_back(bundle.seq);
    const auto parcel = read_parcel(state.outbox.read(bundle.seq).value());
    REQUIRE(parcel);
    CHECK(parcel->envelope == state.bundles.find(bundle.seq).value()->envelope);
    std::vector<std::string> blobs;
    for (const auto& blob : parcel->blobs) blobs.push_back(blob.sha256);
    CHECK(blobs == state.bundles.parcel_blobs(bundle.seq).value());
  }
  CHECK(state.outbox.waiting().value() == seqs);
  const auto found_bundles = state.bundles.in_state(BundleState::kept).value();
  for (const auto& bundle : found_bundles) {
    CHECK_FALSE(state.outbox.has(bundle.seq));
  }
  CHECK(state.keys.has(state.ledger.chain_head().value()->link.epoch));
  const auto files = state.blobs.list().value();
  for (const std::string& sha256 : files) {
    CHECK(state.bundles.knows_blob(sha256).value());
  }
}

}  // namespace vouch::agent
