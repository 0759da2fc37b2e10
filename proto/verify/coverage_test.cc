// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/coverage.h"

#include <catch2/catch.hpp>

#include "proto/verify/store_fixture_test.h"

namespace vouch::verify {
namespace {

constexpr WallMs kTickMs = kIntervalSeconds * 1000;
constexpr WallMs kStartMs = kStart * 1000;

// Four bundles of two ticks; in the third, tick 4 is missed and tick 5 suppressed.
StoreFixture with_gaps() {
  StoreFixture store;
  store.edit = [](Bundle& bundle) {
    if (bundle.seq != 2) return;
    RunMissed missed;
    missed.at = bundle.sealed;
    missed.collector = "access_review";
    missed.ticks = {4, 4};
    missed.reason = "not-running";
    RunSuppressed suppressed;
    suppressed.at = bundle.sealed;
    suppressed.collector = "access_review";
    suppressed.ticks = {5, 5};
    suppressed.reason = "maintenance";
    suppressed.by = "root";
    suppressed.until = kStart + 86400;
    bundle.records = {missed, suppressed};
    bundle.schedule.observed = 0;
    bundle.schedule.missed = bundle.schedule.suppressed = 1;
  };
  for (int i = 0; i < 4; ++i) store.seal();
  store.publish();
  return store;
}

Coverage coverage_of(const StoreFixture& store, std::optional<Period> period) {
  auto options = store.options();
  options.period = period;
  const auto verdict = verify_store(store.files, options);
  INFO(write_text(verdict));
  REQUIRE(verdict.verified());
  return verdict.hosts.front().coverage;
}

// Answers what it is told to.
class FakeReplayer final : public Replayer {
 public:
  ReplayResult::Kind kind = ReplayResult::Kind::same;
  int calls = 0;
  Result<ReplayResult> replay(const ReplayInput& input, const BlobReader& blobs) override {
    ++calls;
    CHECK(blobs(input.content->outcomes.sha256));
    CHECK(input.observation->now > 0);
    return ReplayResult{kind, "", "a.fails"};
  }
};

}  // namespace

TEST_CASE("missed and suppressed runs are exceptions, not gaps", "[coverage]") {
  const auto coverage = coverage_of(with_gaps(), std::nullopt);
  CHECK(coverage.expected == 8);
  CHECK(coverage.observed == 6);
  CHECK(coverage.missed == 1);
  CHECK(coverage.suppressed == 1);
  CHECK(coverage.unexplained == 0);
  CHECK(coverage.verdict() == "COMPLETE WITH EXCEPTIONS");
}

TEST_CASE("only the ticks due inside the period count", "[coverage]") {
  const auto store = with_gaps();
  const auto coverage = coverage_of(store, Period{kStartMs + 3 * kTickMs, kStartMs + 5 * kTickMs});
  CHECK(coverage.expected == 2);  // Ticks 3 and 4.
  CHECK(coverage.observed == 1);
  CHECK(coverage.missed == 1);
  CHECK(coverage.suppressed == 0);
  CHECK(coverage.verdict() == "COMPLETE WITH EXCEPTIONS");
  CHECK(coverage_of(store, Period{kStartMs, kStartMs + 3 * kTickMs}).verdict() == "COMPLETE");
}

TEST_CASE("ticks after the last bundle are unexplained", "[coverage]") {
  const auto coverage = coverage_of(with_gaps(), Period{kStartMs, kStartMs + 20 * kTickMs});
  CHECK(coverage.expected == 20);
  CHECK(coverage.unexplained == 12);
  CHECK(coverage.verdict() == "INCOMPLETE");
}

TEST_CASE("a decommissioned host owes nothing after its last bundle", "[coverage]") {
  auto store = with_gaps();
  store.append(leaf::Decommission{kAgent, 3, "local", std::string(64, 'a')});
  store.publish();
  const auto coverage = coverage_of(store, Period{kStartMs, kStartMs + 20 * kTickMs});
  CHECK(coverage.expected == 8);
  CHECK(coverage.verdict() == "COMPLETE WITH EXCEPTIONS");
}

TEST_CASE("a run that is still open at the end is unexplained", "[coverage]") {
  StoreFixture store;
  store.edit = [](Bundle& bundle) {
    bundle.records.pop_back();
    bundle.schedule.observed = 1;
    bundle.schedule.open = {"access_review/1"};
  };
  store.seal();
  store.publish();
  const auto coverage = coverage_of(store, std::nullopt);
  CHECK(coverage.unexplained == 1);
  CHECK(coverage.verdict() == "INCOMPLETE");
}

TEST_CASE("waivers that nobody approved count as claimed", "[coverage]") {
  StoreFixture store;
  const auto waivers = store.put("{\"id\":\"w1\"}\n");
  store.edit = [&](Bundle& bundle) {
    for (auto& record : bundle.records) {
      auto& content = std::get<RunContent>(std::get<Observation>(record).content);
      content.inputs = {{"waivers", 1, waivers, false, std::nullopt, std::nullopt}};
      const auto findings = store.put("{\"username\":\"root\"}\n");
      const auto outcomes =
          *write_outcomes({{"a.waived", "a", OutcomeKind::waived, "", 1, 1, findings, {"w1"}}});
      content.outcomes = {1, store.put(outcomes.bytes)};
    }
  };
  store.seal();

  const auto claimed = store.verify();
  CHECK(claimed.counts.claimed == 1);
  CHECK(claimed.counts.approved == 0);
  CHECK(claimed.hosts.front().controls.at("a").claimed_waived == 2);
  CHECK(claimed.hosts.front().controls.at("a").waived == 0);

  store.append(
      leaf::Approval{"waivers", waivers, kAgent, "bob", "alice", {}, std::string(64, 'a')});
  const auto approved = store.verify();
  CHECK(approved.counts.claimed == 0);
  CHECK(approved.counts.approved == 1);
  CHECK(approved.hosts.front().controls.at("a").waived == 2);
}

TEST_CASE("approved waivers of one run do not cover for claimed ones beside them", "[coverage]") {
  StoreFixture store;
  const auto claimed = store.put("{\"id\":\"w1\"}\n");
  const auto approved = store.put("{\"id\":\"w2\"}\n");
  store.edit = [&](Bundle& bundle) {
    for (auto& record : bundle.records) {
      auto& content = std::get<RunContent>(std::get<Observation>(record).content);
      content.inputs = {{"waivers", 1, claimed, false, std::nullopt, std::nullopt},
                        {"waivers", 1, approved, false, std::nullopt, "patch_level/7"}};
      const auto findings = store.put("{\"username\":\"root\"}\n");
      const auto outcomes =
          *write_outcomes({{"a.waived", "a", OutcomeKind::waived, "", 1, 1, findings, {"w1"}}});
      content.outcomes = {1, store.put(outcomes.bytes)};
    }
  };
  store.seal();
  store.append(
      leaf::Approval{"waivers", approved, kAgent, "bob", "alice", {}, std::string(64, 'a')});

  const auto verdict = store.verify();

  INFO(write_text(verdict));
  REQUIRE(verdict.verified());
  CHECK(verdict.counts.claimed == 1);
  CHECK(verdict.hosts.front().controls.at("a").claimed_waived == 2);
  CHECK(verdict.hosts.front().controls.at("a").waived == 0);
}

TEST_CASE("a chain that begins long after its enrolment is not complete", "[coverage]") {
  StoreFixture store;
  const WallMs later = GENERATE(WallMs{7200} * 1000, WallMs{7000} * 365 * 86400 * 1000);
  store.edit = [&](Bundle& bundle) {
    // All of its time lies ahead, where no tick has been due yet.
    bundle.period_from = bundle.period_to = kStartMs + later;
    for (auto& record : bundle.records) {
      auto& run = std::get<Observation>(record);
      run.run += "+1";
      run.trigger = Trigger::manual;
      run.scheduled.reset();
    }
    bundle.schedule = {};
  };
  store.seal();
  store.publish();

  CHECK(coverage_of(store, std::nullopt).verdict() == "INCOMPLETE");
  CHECK(coverage_of(store, Period{kStartMs, kStartMs + 4 * kTickMs}).verdict() == "INCOMPLETE");
}

TEST_CASE("a host that never sealed a bundle is not complete", "[coverage]") {
  StoreFixture store;
  const auto verdict = store.verify();
  REQUIRE(verdict.hosts.size() == 1);
  CHECK(verdict.hosts.front().bundles == 0);
  CHECK(verdict.hosts.front().coverage.verdict() == "INCOMPLETE");
}

TEST_CASE("the inventory that the log names last is named, or that there is none", "[coverage]") {
  StoreFixture store;
  store.seal();
  CHECK_THAT(write_text(store.verify()), Catch::Contains("1 host enrolled; no inventory"));

  store.append(leaf::Inventory{"cmdb", std::string(64, 'a'), 3});
  store.append(leaf::Inventory{"cmdb", std::string(64, 'b'), 2});
  const auto verdict = store.verify();
  REQUIRE(verdict.inventory);
  CHECK(verdict.inventory->hosts == 2);
  CHECK_THAT(write_text(verdict), Catch::Contains("1 host enrolled; inventory cmdb of 2026-01-01 "
                                                  "names 2: compare (sha256 bbbb"));
  CHECK(json::write(to_json(verdict)).find(R"("inventory":{)") != std::string::npos);
}

TEST_CASE("replay is asked for every run, and its answer decides", "[coverage]") {
  StoreFixture store;
  store.seal();
  store.edit = [](Bundle& b) {
    std::get<Observation>(b.records.front()).content = SameAs{0, "access_review/1"};
  };
  store.seal();
  store.publish();
  auto options = store.options();
  FakeReplayer replayer;
  options.replayer = &replayer;

  const auto same = verify_store(store.files, options);
  CHECK(replayer.calls == 4);
  CHECK(same.verified());
  CHECK(same.replays.same == 4);

  replayer.kind = ReplayResult::Kind::engine_differs;
  const auto differs = verify_store(store.files, options);
  CHECK(differs.standing() == Standing::engine_differs);
  CHECK_FALSE(differs.verified());
  CHECK(differs.counts.anomalies == 4);
  CHECK_THAT(
      write_text(differs),
      Catch::StartsWith("VERIFIED the whole log, NOT REPLAYED UNDER THE SAME ENGINE: 4 of 4"));
  CHECK_THAT(write_text(differs), Catch::Contains("ENGINE-DIFFERS"));
  CHECK(json::write(to_json(differs))
            .find(R"("verdict":"VERIFIED, NOT REPLAYED UNDER THE SAME ENGINE")") !=
        std::string::npos);

  replayer.kind = ReplayResult::Kind::not_replayable;
  const auto lost = verify_store(store.files, options);
  CHECK(lost.verified());
  CHECK(lost.replays.not_replayable == 4);
  CHECK_THAT(write_text(lost), Catch::Contains("4 not replayable"));

  replayer.kind = ReplayResult::Kind::different;
  CHECK(reason_of(verify_store(store.files, options)) == "replay");
}

}  // namespace vouch::verify
