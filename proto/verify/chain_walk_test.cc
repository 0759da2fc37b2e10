// SPDX-License-Identifier: Apache-2.0
// What a host itself signed wrongly, and what a lying log says of a host.
#include <catch2/catch.hpp>

#include "proto/verify/store_fixture_test.h"

namespace vouch::verify {
namespace {

// Four bundles, the third edited before it is signed.
std::string reason_after(const StoreFixture::EditBundle& edit) {
  StoreFixture store;
  store.edit = [&](Bundle& bundle) {
    if (bundle.seq == 2) edit(bundle);
  };
  for (int i = 0; i < 4; ++i) store.seal();
  const auto verdict = store.verify();
  INFO(write_text(verdict));
  if (!verdict.verified()) CHECK(where_of(verdict) == kAgent + "/2");
  return reason_of(verdict);
}

Observation& first_run(Bundle& bundle) {
  return std::get<Observation>(bundle.records.front());
}

}  // namespace

TEST_CASE("a chain that breaks a rule fails for it", "[verify]") {
  CHECK(reason_after([](Bundle&) {}) == "");
  CHECK(reason_after([](Bundle& b) { b.prev = std::string(64, '1'); }) == "prev");
  CHECK(reason_after([](Bundle& b) { b.agent.machine = std::string(32, '1'); }) == "machine");
  CHECK(reason_after([](Bundle& b) { b.period_from -= 1; }) == "period");
  CHECK(reason_after([](Bundle& b) { b.boot_us = 1; }) == "boot");
  CHECK(reason_after([](Bundle& b) { b.epoch = 1; }) == "epoch");
}

TEST_CASE("a host that leaves out a tick, or counts one twice, fails", "[verify]") {
  const auto drop_run = [](Bundle& b) {
    b.records.pop_back();
    b.schedule.expected = b.schedule.observed = 1;
  };
  CHECK(reason_after(drop_run) == "expected");
  const auto twice = [](Bundle& b) {
    std::get<Observation>(b.records.back()).run = "access_review/9";
    std::get<Observation>(b.records.back()).scheduled = kStart + 9 * kIntervalSeconds;
  };
  CHECK(reason_after(twice) == "tick");
}

TEST_CASE("what a host saw of the log must be a prefix of the log", "[verify]") {
  CHECK(reason_after([](Bundle& b) { b.log_seen->size = 99; }) == "log-seen");
  CHECK(reason_after([](Bundle& b) { b.log_seen->sig[9] ^= 1; }) == "log-seen");
  CHECK(reason_after([](Bundle& b) { b.log_seen->origin = "elsewhere"; }) == "log-seen");

  // Shown another tree, well signed by the log.
  StoreFixture store;
  store.seal();
  store.edit = [&](Bundle& bundle) {
    auto twin = store.log.twin();
    twin.entries[0] = twin.entries[1];
    bundle.log_seen->root = base64_encode(twin.head().root);
    bundle.log_seen->sig = checkpoint::open(twin.signed_head(), twin.vkey)->log_signature;
  };
  store.seal();
  CHECK(reason_of(store.verify()) == "log-fork");
}

TEST_CASE("tables, outcomes and findings must add up", "[verify]") {
  const auto content = [](Bundle& b) -> RunContent& {
    return std::get<RunContent>(first_run(b).content);
  };
  CHECK(reason_after([&](Bundle& b) { content(b).tables[0].rows = 2; }) == "rows");
  CHECK(reason_after([&](Bundle& b) { content(b).outcomes.rows = 3; }) == "outcomes");

  StoreFixture store;
  store.edit = [&](Bundle& bundle) {
    const auto two = store.put("{\"username\":\"a\"}\n{\"username\":\"b\"}\n");
    const auto outcomes = *write_outcomes({{"a.fails", "a", OutcomeKind::fail, "", 1, 0, two, {}}});
    std::get<RunContent>(first_run(bundle).content).outcomes = {1, store.put(outcomes.bytes)};
  };
  store.seal();
  CHECK(reason_of(store.verify()) == "findings");

  StoreFixture unsorted;
  unsorted.edit = [&](Bundle& bundle) {
    content(bundle).tables[0] = {"users", 2, unsorted.put("{\"a\":2}\n{\"a\":1}\n"), false, {}, {}};
  };
  unsorted.seal();
  CHECK(reason_of(unsorted.verify()) == "table");
}

TEST_CASE("the subjects are exactly what the bundle refers to", "[verify]") {
  StoreFixture store;
  auto statement = Statement{{}, store.next_bundle()};
  const auto read = [&](std::string_view sha256) -> Result<std::string> {
    return store.blobs.at(std::string(sha256));
  };
  statement.subject = name_subjects(*all_blobs(statement.bundle, read));
  SECTION("one too many") {
    statement.subject.push_back({"table/zebra", store.put("{\"z\":1}\n")});
  }
  SECTION("one too few") {
    std::erase_if(statement.subject, [](const auto& s) { return s.name == "findings/a.fails"; });
  }
  store.store(statement, store.key);
  CHECK(reason_of(store.verify()) == "subject");
}

TEST_CASE("an unchanged run points back to a run with content", "[verify]") {
  const auto same = [](std::int64_t seq, std::string run) {
    return [=](Bundle& b) { first_run(b).content = SameAs{seq, run}; };
  };
  CHECK(reason_after(same(1, "access_review/3")) == "");
  CHECK(reason_after(same(1, "access_review/9")) == "same-as");
  CHECK(reason_after(same(0, "access_review/3")) == "same-as");
  CHECK(reason_after(same(3, "access_review/6")) != "");
}

TEST_CASE("keys rotate by record and leaf, and each epoch has its own", "[verify]") {
  StoreFixture store;
  auto next = test::key_of(std::string(64, '7'));
  store.seal();
  store.edit = [&](Bundle& b) {
    b.records.emplace_back(*make_key_rotate(b.sealed, kAgent, 1, store.key.public_key(), next));
  };
  store.seal();
  store.edit = [](Bundle&) {};
  const auto rotate = leaf::Rotate{
      kAgent, 1, 1, store.key.keyid(), next.keyid(), base64_encode(next.public_key().spki())};
  SECTION("as it should be") {
    store.append(rotate);
    store.seal(&next);
    const auto verdict = store.verify();
    INFO(write_text(verdict));
    CHECK(verdict.verified());
  }
  SECTION("the next bundle is still signed by the old key") {
    store.append(rotate);
    store.seal();
    CHECK(reason_of(store.verify()) == "epoch");
  }
  SECTION("no rotate leaf") {
    store.seal(&next);
    const auto verdict = store.verify();
    CHECK(reason_of(verdict) == "rotate");
    CHECK(where_of(verdict) == kAgent + "/1");  // The bundle whose key change the log hides.
  }
  SECTION("a rotate leaf for another key") {
    auto other = rotate;
    const auto third = test::key_of(std::string(64, '8'));
    other.keyid = third.keyid();
    other.key = base64_encode(third.public_key().spki());
    store.append(other);
    store.seal(&third);
    CHECK(reason_of(store.verify()) == "rotate");
  }
  SECTION("an epoch is skipped") {
    auto other = rotate;
    other.epoch = 2;
    store.append(other);
    store.seal(&next);
    CHECK(reason_of(store.verify()) == "rotate");
  }
}

TEST_CASE("a bundle of an old epoch signed again with today's key fails", "[verify]") {
  StoreFixture store;
  const auto next = test::key_of(std::string(64, '7'));
  store.seal(&next);
  CHECK(reason_of(store.verify()) == "epoch");
}

TEST_CASE("a log that repeats, skips or interleaves bundles fails", "[verify]") {
  StoreFixture store;
  store.seal();
  store.seal();
  SECTION("a replayed bundle") {
    store.at += 1000;
    auto again = *leaf::parse(store.log.entries.back());
    store.append(again.body);
    CHECK(reason_of(store.verify()) == "repeat");
  }
  SECTION("a bundle left out of the log") {
    store.log.entries.erase(store.log.entries.begin() + 2);
    CHECK(reason_of(store.verify()) == "hole");
    CHECK(where_of(store.verify()) == kAgent + "/0");
  }
  SECTION("time that runs backwards") {
    auto first = *leaf::parse(store.log.entries[3]);
    first.at = kStart * 1000 - 5;
    store.log.entries[3] = *leaf::write(first);
    CHECK(reason_of(store.verify()) == "at");
  }
  SECTION("an agent that never enrolled") {
    auto bundle = std::get<leaf::Bundle>(leaf::parse(store.log.entries.back())->body);
    bundle.agent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c79";
    store.append(bundle);
    CHECK(reason_of(store.verify()) == "not-enrolled");
  }
  SECTION("an agent that is enrolled twice") {
    store.append(leaf::parse(store.log.entries[1])->body);
    CHECK(reason_of(store.verify()) == "agent-exists");
  }
  SECTION("an entry that is no leaf") {
    store.log.entries.push_back("{}");
    CHECK(reason_of(store.verify()) == "leaf");
  }
  SECTION("a re-pin that repeats the enrolment") {
    auto enrol = std::get<leaf::Enrol>(leaf::parse(store.log.entries[1])->body);
    store.append(leaf::Repin{enrol, 0, 2, store.ids.back()});
    CHECK(reason_of(store.verify()) == "enrolment");
  }
}

TEST_CASE("a forked chain fails, and so does a fork that the log cannot show", "[verify]") {
  StoreFixture store;
  store.seal();
  StoreFixture other;
  other.edit = [](Bundle& b) { b.agent.host = "web-02"; };
  other.seal();
  const auto envelope = dsse::parse(other.envelopes[0]);
  store.append(
      leaf::Fork{kAgent, 0, store.ids[0], other.ids[0], base64_encode(envelope->signature)});
  const auto path = "forks/" + kAgent + "/0." + other.ids[0] + ".json";

  CHECK(reason_of(store.verify()) == "bad-fork");
  store.files.files[path] = other.envelopes[0];
  const auto forked = store.verify();
  CHECK(reason_of(forked) == "fork");
  CHECK(forked.counts.bundles == 1);
  CHECK(forked.counts.anomalies == 1);
  store.files.files[path] = store.envelopes[0];
  CHECK(reason_of(store.verify()) == "bad-fork");
}

TEST_CASE("revoked keys and decommissioned agents seal nothing more", "[verify]") {
  StoreFixture store;
  store.seal();
  store.seal();
  const std::string note(64, 'a');
  SECTION("revoked from a seq that is logged already") {
    store.append(leaf::Revoke{kAgent, store.key.keyid(), 1, "local", note});
    CHECK(reason_of(store.verify()) == "revoked");
    const auto verdict = store.verify();
    CHECK(where_of(verdict) == kAgent + "/1");
    CHECK(verdict.counts.bundles == 1);  // What is below stays valid.
  }
  SECTION("revoked for what comes") {
    store.append(leaf::Revoke{kAgent, store.key.keyid(), 2, "local", note});
    CHECK(reason_of(store.verify()) == "");
    store.seal();
    CHECK(reason_of(store.verify()) == "revoked");
  }
  SECTION("a bundle below the seq that is logged after the revocation") {
    store.append(leaf::Revoke{kAgent, store.key.keyid(), 3, "local", note});
    CHECK(reason_of(store.verify()) == "");
    store.seal();
    CHECK(reason_of(store.verify()) == "revoked");
  }
  SECTION("decommissioned") {
    store.append(leaf::Decommission{kAgent, 1, "local", note});
    CHECK(reason_of(store.verify()) == "");
    store.seal();
    CHECK(reason_of(store.verify()) == "decommissioned");
  }
}

TEST_CASE("the enrolment must be there, signed, and named by seq 0", "[verify]") {
  StoreFixture store;
  const auto path = "statements/" + store.enrolment_statement + ".json";
  std::string wanted = "enrolment";
  SECTION("gone") {
    store.files.files.erase(path);
  }
  SECTION("changed") {
    auto envelope = *dsse::parse(store.files.files[path]);
    envelope.signature[3] ^= 1;
    store.files.files[path] = dsse::write(envelope);
  }
  SECTION("not named") {
    store.edit = [](Bundle& b) { b.enrolment->leaf_index = 0; };
  }
  store.seal();
  CHECK(reason_of(store.verify()) == wanted);
}

TEST_CASE("silence without an overdue leaf shows as an anomaly", "[verify]") {
  StoreFixture store;
  store.seal();
  const WallMs promised = (kStart + kRunsPerBundle * kIntervalSeconds) * 1000 + 3600000;
  store.at += 3 * 3600 * 1000;
  SECTION("no leaf") {
    store.seal();
    const auto verdict = store.verify();
    CHECK(verdict.verified());
    REQUIRE(verdict.anomalies.size() == 1);
    CHECK_THAT(verdict.anomalies.front().what, Catch::Contains("silence"));
  }
  SECTION("an overdue leaf") {
    const auto index = store.log.entries.size();
    store.append(leaf::Overdue{kAgent, 1, promised, 3600});
    store.seal();
    store.append(leaf::Recovered{kAgent, 1, static_cast<std::int64_t>(index)});
    const auto verdict = store.verify();
    CHECK(verdict.counts.anomalies == 0);
    CHECK(verdict.counts.overdue == 1);
  }
  SECTION("an overdue leaf that says another promise than the bundle") {
    store.append(leaf::Overdue{kAgent, 1, promised - 1, 3600});
    store.seal();
    const auto verdict = store.verify();
    REQUIRE(verdict.anomalies.size() == 1);
    CHECK_THAT(verdict.anomalies.front().what, Catch::Contains("the bundle before says"));
  }
  SECTION("leaves about a bundle that nobody expects") {
    store.append(leaf::Overdue{kAgent, 1, promised, 3600});
    store.append(leaf::Overdue{kAgent, 2, promised, 3600});
    const auto verdict = store.verify();
    REQUIRE(verdict.anomalies.size() == 1);
    CHECK_THAT(verdict.anomalies.front().what, Catch::Contains("speak of seq 2, the next is 1"));
  }
  SECTION("late, and the log says so") {
    store.at += WallMs{48} * 3600 * 1000;
    store.append(leaf::Overdue{kAgent, 1, promised, 3600});
    store.seal();
    const auto sealed = (kStart + 2 * kRunsPerBundle * kIntervalSeconds) * 1000;
    store.append(leaf::Late{kAgent, 1, (store.at - sealed) / 1000});
    const auto verdict = store.verify();
    CHECK(verdict.counts.anomalies == 0);
    CHECK(verdict.counts.late == 1);
  }
  SECTION("the host never comes back") {
    store.append(leaf::StoreStop{"0.1.0", std::string(64, 'd')});
    const auto verdict = store.verify();
    REQUIRE(verdict.anomalies.size() == 1);
    CHECK_THAT(verdict.anomalies.front().what, Catch::Contains("silence"));
  }
  SECTION("it never comes back, and the log dates its silence") {
    store.append(leaf::Overdue{kAgent, 1, promised, 3600});
    CHECK(store.verify().counts.anomalies == 0);
  }
  SECTION("it was decommissioned") {
    store.append(leaf::Decommission{kAgent, 0, "local", std::string(64, 'a')});
    CHECK(store.verify().counts.anomalies == 0);
  }
}

}  // namespace vouch::verify
