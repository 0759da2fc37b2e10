// SPDX-License-Identifier: Apache-2.0
#include "proto/chain.h"

#include <catch2/catch.hpp>

#include "core/encoding.h"
#include "proto/dsse.h"
#include "proto/test_bundle.h"

using namespace vouch;

namespace {

const std::string kSpki = test::seeded_key('a').public_key().spki();

ChainLink start() {
  const auto statement = test::first_statement();
  return first_link(statement.bundle.agent.id, statement.bundle.agent.machine, kSpki);
}

std::string fault_of(const ChainLink& link, const Statement& next) {
  const auto found = check_link(link, next);
  return found ? found->reason : "none";
}

std::string schedule_fault(const ChainLink& link, const Statement& next) {
  const auto found = check_schedule(link, next, test::schedule());
  return found ? found->reason : "none";
}

struct Chain {
  Statement first = test::first_statement();
  ChainLink link = link_after(first, test::id_of(first), kSpki);
  Statement next = test::next_statement(first);
};

}  // namespace

TEST_CASE("a chain follows from its enrolment on", "[chain]") {
  auto link = start();
  auto statement = test::first_statement();
  for (int i = 0; i < 5; ++i) {
    CHECK(fault_of(link, statement) == "none");
    CHECK(schedule_fault(link, statement) == "none");
    CHECK(find_anomalies(link, statement).empty());
    link = link_after(statement, test::id_of(statement), kSpki);
    statement = test::next_statement(statement);
  }
}

TEST_CASE("each broken rule of the chain has its reason", "[chain]") {
  Chain chain;
  auto& next = chain.next.bundle;
  std::string reason;

  SECTION("another agent") {
    reason = "agent", next.agent.id[0] = '7';
  }
  SECTION("another machine") {
    reason = "machine", next.agent.machine[0] = '2';
  }
  SECTION("a hole") {
    reason = "seq", next.seq = 2;
  }
  SECTION("a repeat") {
    reason = "seq", next.seq = 0;
  }
  SECTION("prev of another bundle") {
    reason = "prev", next.prev = test::digest_of("other");
  }
  SECTION("prev is the envelope's digest") {
    reason = "prev";
    const auto envelope = *dsse::sign(test::seeded_key('a'), *write_statement(chain.first));
    next.prev = test::digest_of(dsse::write(envelope));
  }
  SECTION("an epoch skipped") {
    reason = "epoch", next.epoch = 1;
  }
  SECTION("a gap between periods") {
    reason = "period", next.period_from += 1;
  }
  SECTION("periods overlap") {
    reason = "period", next.period_from -= 1;
  }
  SECTION("boot time stands still") {
    reason = "boot", next.boot_us = chain.link.boot_us;
  }
  SECTION("a run carried that nobody left") {
    reason = "carried", next.schedule.carried = 1;
  }
  SECTION("a run left that nobody carries") {
    reason = "carried", chain.link.open = {"a/1"};
  }
  SECTION("the log seen is gone") {
    reason = "log-seen", next.log_seen.reset();
  }
  SECTION("the log seen shrank") {
    reason = "log-seen", next.log_seen->size -= 1;
  }
  SECTION("the log seen has two roots") {
    reason = "log-seen", next.log_seen->root = base64_encode(std::string(32, 'q'));
  }
  CHECK(fault_of(chain.link, chain.next) == reason);
}

TEST_CASE("boot time may begin again in another boot, and logs may be succeeded", "[chain]") {
  Chain chain;
  chain.next.bundle.boot_id[0] = 'f';
  chain.next.bundle.boot_us = 1;
  chain.next.bundle.log_seen->origin = "store.example.com/log2";
  chain.next.bundle.log_seen->size = 1;

  CHECK(fault_of(chain.link, chain.next) == "none");
}

TEST_CASE("a clock moved without a record is an anomaly", "[chain]") {
  Chain chain;
  chain.next.bundle.boot_us += 2'000'000;
  CHECK(find_anomalies(chain.link, chain.next).empty());
  chain.next.bundle.boot_us += 2'000;
  CHECK(find_anomalies(chain.link, chain.next).size() == 1);

  const auto at = chain.next.bundle.sealed;
  chain.next.bundle.records.emplace_back(ClockStep{at, at + 2002, at, chain.next.bundle.boot_us});
  CHECK(find_anomalies(chain.link, chain.next).empty());
}

TEST_CASE("after key-rotate the next bundle is of the new key and epoch, no other", "[chain]") {
  auto first = test::first_statement();
  const auto key_old = test::seeded_key('a');
  const auto key_new = test::seeded_key('b');
  first.bundle.records.emplace_back(
      *make_key_rotate(test::kStart, first.bundle.agent.id, 1, key_old.public_key(), key_new));
  test::settle(first);
  CHECK(fault_of(start(), first) == "none");

  const auto link = link_after(first, test::id_of(first), kSpki);
  CHECK(link.epoch == 1);
  CHECK(link.spki == key_new.public_key().spki());
  auto next = test::next_statement(first);
  CHECK(fault_of(link, next) == "epoch");
  next.bundle.epoch = 1;
  CHECK(fault_of(link, next) == "none");
  next.bundle.epoch = 2;
  CHECK(fault_of(link, next) == "epoch");
}

TEST_CASE("a key-rotate without the new key's proof is refused", "[chain]") {
  auto first = test::first_statement();
  const auto key_old = test::seeded_key('a');
  const auto key_new = test::seeded_key('b');
  auto rotate =
      *make_key_rotate(test::kStart, first.bundle.agent.id, 1, key_old.public_key(), key_new);
  REQUIRE(check_key_rotate(rotate, first.bundle.agent.id, kSpki));

  SECTION("another proof") {
    rotate.proof[0] = static_cast<char>(rotate.proof[0] ^ 1);
  }
  SECTION("signed by the old key") {
    rotate.proof = *key_old.sign(rotate_text(first.bundle.agent.id, 1, kSpki, rotate.key));
  }
  SECTION("another new key") {
    rotate.key = test::seeded_key('c').public_key().spki();
  }
  SECTION("a key that is none") {
    rotate.key = "x";
  }
  SECTION("of another old key") {
    rotate =
        *make_key_rotate(test::kStart, first.bundle.agent.id, 1, key_new.public_key(), key_new);
  }
  SECTION("of another agent") {
    rotate = *make_key_rotate(test::kStart, "other", 1, key_old.public_key(), key_new);
  }
  SECTION("to the same key") {
    rotate =
        *make_key_rotate(test::kStart, first.bundle.agent.id, 1, key_old.public_key(), key_old);
  }
  first.bundle.records.emplace_back(rotate);
  test::settle(first);
  CHECK(fault_of(start(), first) == "rotate");
}

TEST_CASE("every tick that was due is accounted for exactly once", "[chain]") {
  Chain chain;
  auto& bundle = chain.next.bundle;
  const auto set = [&](std::vector<Record> records, std::vector<std::string> open = {}) {
    bundle.records = std::move(records);
    bundle.schedule.open = std::move(open);
    test::settle(chain.next);
  };
  std::string reason = "none";

  SECTION("failed") {
    set({test::run_failed(1)});
  }
  SECTION("missed") {
    set({RunMissed{0, "access_review", {1, 1}, "overrun"}});
  }
  SECTION("suppressed") {
    set({RunSuppressed{0, "access_review", {1, 1}, "", "", 0}});
  }
  SECTION("still running") {
    set({}, {"access_review/1"});
  }
  SECTION("carried over and observed") {
    chain.link.open = {"access_review/0"};
    set({test::observation(0), test::observation(1)});
  }
  SECTION("a triggered run beside it") {
    auto manual = test::observation(1);
    manual.run += "+1";
    manual.trigger = Trigger::manual;
    manual.scheduled.reset();
    set({test::observation(1), manual});
  }
  SECTION("absent") {
    reason = "tick", set({});
  }
  SECTION("twice") {
    reason = "tick", set({test::observation(1), RunMissed{0, "access_review", {1, 1}, "overrun"}});
  }
  SECTION("the tick before again") {
    reason = "tick", set({test::observation(0)});
  }
  SECTION("the tick after already") {
    reason = "tick", set({test::observation(1), test::observation(2)});
  }
  SECTION("observed and still open") {
    reason = "tick", set({test::observation(1)}, {"access_review/1"});
  }
  SECTION("an open run forgotten") {
    reason = "tick", chain.link.open = {"access_review/0"};
    set({test::observation(1)});
  }
  SECTION("a collector that nobody scheduled") {
    reason = "tick", set({test::observation(1), RunMissed{0, "backup_jobs", {0, 0}, "overrun"}});
  }
  SECTION("due at another time") {
    reason = "tick";
    auto run = test::observation(1);
    *run.scheduled += 1;
    set({run});
  }
  SECTION("another number of ticks") {
    reason = "expected", bundle.schedule.expected = 2;
  }
  CHECK(schedule_fault(chain.link, chain.next) == reason);
}

TEST_CASE("a bundle that claims all ticks there are costs nothing to check", "[chain]") {
  Chain chain;
  chain.next.bundle.records = {RunMissed{0, "access_review", {1, json::kIntegerMax}, "overrun"}};

  CHECK(schedule_fault(chain.link, chain.next) == "tick");
}

TEST_CASE("same_as points at a full observation of its collector, within 24 h", "[chain]") {
  Chain chain;
  const auto point_at = [&](std::int64_t seq, std::string run) {
    auto same = test::observation(1);
    same.content = SameAs{seq, std::move(run)};
    chain.next.bundle.records = {same};
  };
  ObservationOnRecord on_record{"access_review", chain.first.bundle.sealed, true};
  bool found = true;
  const auto lookup = [&](std::int64_t, std::string_view) {
    return found ? std::optional(on_record) : std::nullopt;
  };
  point_at(0, "access_review/0");
  REQUIRE_FALSE(check_same_as(chain.next, lookup));

  SECTION("nothing there") {
    found = false;
  }
  SECTION("a same_as itself") {
    on_record.has_content = false;
  }
  SECTION("of another collector") {
    on_record.collector = "backup_jobs";
  }
  SECTION("too long ago") {
    on_record.sealed = chain.next.bundle.sealed - 86'400'001;
  }
  SECTION("in the future") {
    point_at(2, "access_review/0");
  }
  SECTION("itself") {
    point_at(1, "access_review/1");
  }
  const auto fault = check_same_as(chain.next, lookup);
  REQUIRE(fault);
  CHECK(fault->reason == "same-as");
}

TEST_CASE("same_as may point at an earlier record of its own bundle", "[chain]") {
  Chain chain;
  auto same = test::observation(2);
  same.content = SameAs{1, "access_review/1"};
  const auto nothing = [](std::int64_t, std::string_view) -> std::optional<ObservationOnRecord> {
    return std::nullopt;
  };
  chain.next.bundle.records = {test::observation(1), same};
  CHECK_FALSE(check_same_as(chain.next, nothing));
  chain.next.bundle.records = {same, test::observation(1)};
  CHECK(check_same_as(chain.next, nothing));
}

TEST_CASE("the machine's id is what systemd-id128 prints", "[chain]") {
  CHECK(*derive_machine("0123456789abcdef0123456789abcdef\n") ==
        "19a05c30e9944d5eafb4a7e391349684");
  CHECK_FALSE(derive_machine("uninitialized\n"));
  CHECK_FALSE(derive_machine(""));
  CHECK_FALSE(derive_machine("0123456789ABCDEF0123456789abcdef"));
}
