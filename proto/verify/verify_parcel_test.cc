// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "proto/verify/store_fixture_test.h"

namespace vouch::verify {
namespace {

// A store of three bundles and the second one's parcel with all of its blobs.
struct ParcelFixture {
  StoreFixture store;
  ParcelInput input;
  Options options;

  explicit ParcelFixture(const StoreFixture::EditBundle& edit = [](Bundle&) {}) {
    store.edit = edit;
    for (int i = 0; i < 3; ++i) store.seal();
    const auto statement = *parse_statement(dsse::parse(store.envelopes[1])->payload);
    std::vector<ParcelBlob> blobs;
    for (const auto& subject : statement.subject) {
      blobs.push_back({subject.sha256, store.blobs[subject.sha256]});
    }
    input.parcel = *write_parcel(store.envelopes[1], std::move(blobs));
    input.receipts = {store.log.receipt(store.leaf_of[1]), store.log.receipt(1)};
    options = store.options();
  }
  Verdict verify() const { return verify_parcel(input, options); }
};

}  // namespace

TEST_CASE("a parcel with its receipt and its enrolment's verifies", "[verify]") {
  const ParcelFixture fixture;
  const auto verdict = fixture.verify();

  INFO(write_text(verdict));
  CHECK(verdict.verified());
  CHECK(verdict.logged);
  CHECK(verdict.mode == Mode::selective);
  CHECK(verdict.counts.records == 2);
  CHECK(verdict.counts.withheld == 0);
  CHECK_THAT(write_text(verdict), Catch::StartsWith("VERIFIED one bundle, with its receipt"));
}

TEST_CASE("a parcel without a receipt is not shown to be in a log", "[verify]") {
  ParcelFixture fixture;
  fixture.input.receipts.clear();
  fixture.input.spki = fixture.store.key.public_key().spki();
  fixture.options.policy.reset();

  const auto verdict = fixture.verify();

  CHECK(verdict.verified());
  CHECK_FALSE(verdict.logged);
  CHECK_THAT(write_text(verdict), Catch::Contains("NOT SHOWN TO BE IN A LOG"));
}

TEST_CASE("a parcel fails for what is wrong with it", "[verify]") {
  ParcelFixture fixture;
  auto& input = fixture.input;
  std::string reason;
  SECTION("no key") {
    input.receipts.pop_back();
    reason = "unknown-key";
  }
  SECTION("a key that did not sign") {
    input.spki = fixture.store.log.key.public_key().spki();
    reason = "keyid";
  }
  SECTION("a flipped byte of the parcel") {
    input.parcel[input.parcel.size() / 2] ^= 1;
    reason = "parcel";
  }
  SECTION("the receipt of another bundle") {
    input.receipts[0] = fixture.store.log.receipt(fixture.store.leaf_of[2]);
    reason = "receipt";
  }
  SECTION("a receipt with a flipped byte") {
    input.receipts[0][120] ^= 1;
    reason = "receipt";
  }
  SECTION("a receipt by another log") {
    const auto other = *note::make_vkey("elsewhere", note::KeyType::log, fixture.store.log.key);
    fixture.options.policy = "log " + note::write_vkey(other) + "\nquorum none\n";
    reason = "receipt";
  }
  SECTION("receipts without an anchor") {
    fixture.options.policy.reset();
    reason = "policy";
  }
  SECTION("a blob that is no subject") {
    input.parcel = *write_parcel(fixture.store.envelopes[1], {{sha256_hex("x"), "x"}});
    reason = "blob";
  }
  CHECK(reason_of(fixture.verify()) == reason);
}

TEST_CASE("a key that the log gives for one epoch signs no other", "[verify]") {
  const ParcelFixture fixture([](Bundle& bundle) { bundle.epoch = bundle.seq == 1 ? 1 : 0; });
  CHECK(reason_of(fixture.verify()) == "epoch");
}

TEST_CASE("a parcel of another machine than the enrolled one fails", "[verify]") {
  const ParcelFixture fixture([](Bundle& bundle) { bundle.agent.machine[0] = 'f'; });
  CHECK(reason_of(fixture.verify()) == "machine");
}

TEST_CASE("blobs that are not in the parcel are counted as withheld", "[verify]") {
  ParcelFixture fixture;
  fixture.input.parcel = *write_parcel(fixture.store.envelopes[1], {});
  const auto verdict = fixture.verify();
  INFO(write_text(verdict));
  CHECK(verdict.verified());
  CHECK(verdict.counts.withheld > 0);
}

}  // namespace vouch::verify
