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

  explicit ParcelFixture(
      const StoreFixture::EditBundle& edit = [](Bundle&) {}, StoreFixture** self = nullptr) {
    if (self != nullptr) *self = &store;
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

TEST_CASE("the log that the bundle saw is checked as far as the receipt shows it", "[verify]") {
  const auto text = [](const Verdict& verdict) { return write_text(verdict); };
  SECTION("what one bundle cannot show is said") {
    const auto verdict = ParcelFixture().verify();
    CHECK(verdict.verified());
    CHECK_THAT(text(verdict), Catch::Contains("NOT CHECKED: that the log of size 3"));
    CHECK_THAT(text(verdict), Catch::Contains("NOT CHECKED: the chain before and after"));
    CHECK(json::write(to_json(verdict)).find("not_checked") != std::string::npos);
  }
  SECTION("a consistency proof closes it") {
    ParcelFixture fixture;
    const auto size = fixture.store.log.entries.size();
    fixture.input.consistency = fixture.store.log.consistency(3, size);
    const auto verdict = fixture.verify();
    INFO(text(verdict));
    CHECK(verdict.verified());
    CHECK_THAT(text(verdict), !Catch::Contains("that the log of size 3"));

    fixture.input.consistency = fixture.store.log.consistency(2, size);
    CHECK(reason_of(fixture.verify()) == "consistency");
    fixture.input.consistency = "old 3\n";
    CHECK(reason_of(fixture.verify()) == "consistency");
    fixture.input.consistency = "x";
    CHECK(reason_of(fixture.verify()) == "consistency");
  }
  SECTION("a signature that is not the log's") {
    const ParcelFixture fixture([](Bundle& bundle) {
      if (bundle.log_seen) bundle.log_seen->sig[9] ^= 1;
    });
    CHECK(reason_of(fixture.verify()) == "log-seen");
  }
  SECTION("a log larger than its own place") {
    StoreFixture* store = nullptr;
    ParcelFixture fixture(
        [&](Bundle& bundle) {
          if (bundle.seq != 1 || store == nullptr) return;
          auto twin = store->log.twin();
          twin.entries.push_back(twin.entries.back());
          bundle.log_seen->size = static_cast<std::int64_t>(twin.entries.size());
          bundle.log_seen->root = base64_encode(twin.head().root);
          bundle.log_seen->sig = checkpoint::open(twin.signed_head(), twin.vkey)->log_signature;
        },
        &store);
    CHECK(reason_of(fixture.verify()) == "log-seen");
  }
  SECTION("another tree than the log shows in a receipt") {
    StoreFixture* store = nullptr;
    ParcelFixture fixture(
        [&](Bundle& bundle) {
          if (bundle.seq != 1 || store == nullptr) return;
          auto twin = store->log.twin();
          twin.entries[0] = twin.entries[1];
          bundle.log_seen->root = base64_encode(twin.head().root);
          bundle.log_seen->sig = checkpoint::open(twin.signed_head(), twin.vkey)->log_signature;
        },
        &store);
    fixture.input.receipts[1] = receipt::write(fixture.store.log.proof(1, 3));
    CHECK(reason_of(fixture.verify()) == "log-fork");
  }
  SECTION("a log whose key nobody pinned") {
    const ParcelFixture fixture([](Bundle& bundle) {
      if (bundle.log_seen) bundle.log_seen->origin = "elsewhere";
    });
    const auto verdict = fixture.verify();
    CHECK(verdict.verified());
    CHECK_THAT(text(verdict), Catch::Contains("the key of elsewhere is not in the policy file"));
  }
  SECTION("without a receipt its place is open") {
    ParcelFixture fixture;
    fixture.input.receipts.clear();
    fixture.input.spki = fixture.store.key.public_key().spki();
    CHECK_THAT(text(fixture.verify()), Catch::Contains("NOT CHECKED: where the log of size 3"));
  }
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
