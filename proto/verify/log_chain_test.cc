// SPDX-License-Identifier: Apache-2.0
// Logs that succeed each other, and chains that go on from one to the next.
#include "proto/verify/log_chain.h"

#include <catch2/catch.hpp>

#include "proto/succession.h"
#include "proto/verify/store_fixture_test.h"

namespace vouch::verify {
namespace {

// A store whose log1 ended after two bundles, and log2 that goes on with the same chain.
struct Succeeded {
  StoreFixture store;
  test::TestLog old;
  checkpoint::Checkpoint end;
  SigningKey new_key = test::key_of(std::string(64, '7'));
  std::string statement;  // The note.
  std::string policy1;    // That pins the old log alone.
  std::string policy2;    // … the new one alone.

  explicit Succeeded(bool stated = true) {
    store.seal();
    store.seal();
    old.entries = store.log.entries;
    end = old.head();
    policy1 = store.store_policy;
    store.log.key = test::key_of(std::string(64, '7'));
    store.log.vkey = *note::make_vkey("store.example.com/log2", note::KeyType::log, store.log.key);
    store.log.entries.clear();
    policy2 = policy_file::write(store.log.policy());
    statement = sign(end, old.vkey, old.key);
    succeed(end, stated);
  }

  std::string sign(const checkpoint::Checkpoint& at, const note::VerifierKey& old_vkey,
                   const SigningKey& old_key) const {
    return *succession::sign({at, store.log.vkey}, old_vkey, old_key, new_key);
  }
  // Leaf 0 of the new log.
  void succeed(const checkpoint::Checkpoint& at, bool stated) {
    std::optional<std::string> digest;
    if (stated) digest = succession::digest({at, store.log.vkey});
    store.append(leaf::Succession{at.origin, static_cast<std::int64_t>(at.size),
                                  base64_encode(at.root), "key-rotation", digest, "local"});
  }
  void publish() {
    store.publish();
    store.publish(old, "logs/log1/");
    if (!statement.empty()) store.files.files["successions/log1"] = statement;
  }
  Verdict verify(const std::string& policy) {
    publish();
    Options options;
    options.policy = policy;
    return verify_store(store.files, options);
  }
};

// A re-pin of the chain into the log that is being written, signed by `key`.
void repin(StoreFixture& store, const checkpoint::Checkpoint& left, const SigningKey& key,
           std::int64_t next_seq, const std::string& prev) {
  JoinString join;
  join.token_id = std::string(8, 'u');
  join.token_secret = std::string(24, 's');
  enrolment::Predicate predicate;
  predicate.agent = kAgent;
  predicate.machine = kMachine;
  predicate.repin =
      enrolment::Repin{left.origin, left.size, base64_encode(left.root), 0, next_seq, prev};
  const auto envelope = *enrolment::make_request(predicate, join, key);
  const auto request = *enrolment::parse_request(envelope);
  store.files.files["statements/" + request.statement + ".json"] = envelope;
  leaf::Repin body;
  body.enrol = {kAgent,
                kMachine,
                key.keyid(),
                base64_encode(key.public_key().spki()),
                request.statement,
                request.predicate.token,
                "local",
                std::string(64, 'a'),
                {}};
  body.epoch = 0;
  body.next_seq = next_seq;
  body.prev = prev;
  store.append(body);
}

}  // namespace

TEST_CASE("a chain goes on from one log to the next, whichever of the two is pinned",
          "[succession]") {
  Succeeded logs;
  logs.store.seal();
  logs.store.seal();
  const auto policy = GENERATE(true, false) ? logs.policy1 : logs.policy2;

  const auto verdict = logs.verify(policy);

  INFO(write_text(verdict));
  REQUIRE(verdict.verified());
  CHECK(verdict.counts.bundles == 4);
  CHECK(verdict.checkpoint->origin == "store.example.com/log2");
  REQUIRE(verdict.earlier.size() == 1);
  CHECK(verdict.earlier.front() == logs.end);
  CHECK(verdict.repinned.empty());
  CHECK(verdict.rollbacks.empty());
  CHECK(verdict.counts.anomalies == 0);
  CHECK(verdict.hosts.front().coverage.verdict() == "COMPLETE");
  CHECK_THAT(write_text(verdict), Catch::StartsWith("VERIFIED the whole of each log"));
}

TEST_CASE("a policy that pins neither log refuses both", "[succession]") {
  Succeeded logs;
  const auto other = *note::make_vkey("elsewhere", note::KeyType::log, logs.new_key);
  CHECK(reason_of(logs.verify("log " + note::write_vkey(other) + "\nquorum none\n")) == "origin");
}

TEST_CASE("a statement that does not hold leads nowhere", "[succession]") {
  Succeeded logs;
  logs.store.seal();
  auto& statement = logs.statement;
  const auto policy = GENERATE(true, false) ? logs.policy1 : logs.policy2;
  SECTION("one signature of the two: the old key's") {
    statement = statement.substr(0, statement.rfind("\xe2\x80\x94"));
  }
  SECTION("one signature of the two: the new key's") {
    const auto first = statement.find("\xe2\x80\x94");
    statement.erase(first, statement.rfind("\xe2\x80\x94") - first);
  }
  SECTION("a broken signature") {
    statement[statement.size() - 5] = statement[statement.size() - 5] == 'A' ? 'B' : 'A';
  }
  SECTION("another end") {
    statement = logs.sign(logs.old.head(logs.end.size - 1), logs.old.vkey, logs.old.key);
  }
  SECTION("signed by another key of the old log's name") {
    const auto other = *note::make_vkey(logs.old.vkey.name, note::KeyType::log, logs.new_key);
    statement = logs.sign(logs.end, other, logs.new_key);
  }
  SECTION("no note") {
    statement = "x";
  }
  const auto verdict = logs.verify(policy);
  CHECK(reason_of(verdict) == "succession");
  CHECK(where_of(verdict) == "successions/log1");
  CHECK(verdict.counts.bundles == 0);
}

TEST_CASE("a statement hands over to the key that signs the next log, and no other",
          "[succession]") {
  Succeeded logs;
  const auto third = test::key_of(std::string(64, '5'));
  const auto vkey = *note::make_vkey("store.example.com/log2", note::KeyType::log, third);
  const succession::Statement other{logs.end, vkey};
  logs.statement = *succession::sign(other, logs.old.vkey, logs.old.key, third);
  logs.store.log.entries.clear();
  logs.store.append(leaf::Succession{logs.end.origin, static_cast<std::int64_t>(logs.end.size),
                                     base64_encode(logs.end.root), "key-rotation",
                                     succession::digest(other), "local"});
  const auto verdict = logs.verify(GENERATE(true, false) ? logs.policy1 : logs.policy2);
  CHECK(reason_of(verdict) == "succession");
  CHECK(where_of(verdict) == "successions/log1");
}

TEST_CASE("a first leaf that names a statement needs it", "[succession]") {
  Succeeded logs;
  logs.statement.clear();
  CHECK(reason_of(logs.verify(logs.policy2)) == "succession");
}

TEST_CASE("the end that a first leaf names is one that the old log signed", "[succession]") {
  Succeeded logs;
  SECTION("a size that was never published") {
    logs.store.log.entries.clear();
    logs.succeed(logs.old.head(logs.end.size - 1), false);
    logs.statement.clear();
    CHECK(reason_of(logs.verify(logs.policy2)) == "checkpoint");
  }
  SECTION("another root") {
    logs.store.log.entries.clear();
    auto forged = logs.end;
    forged.root[3] ^= 1;
    logs.succeed(forged, false);
    logs.statement.clear();
    CHECK(reason_of(logs.verify(logs.policy2)) == "succession");
  }
}

TEST_CASE("without a statement the verdict says REPINNED, and only a pinned key helps",
          "[succession]") {
  Succeeded logs(false);
  logs.statement.clear();
  repin(logs.store, logs.end, logs.store.key, 2, logs.store.ids.back());
  logs.store.seal();

  CHECK(reason_of(logs.verify(logs.policy1)) == "origin");
  const auto verdict = logs.verify(logs.policy2);

  INFO(write_text(verdict));
  CHECK(verdict.verified());
  CHECK(verdict.repinned == std::vector<std::string>{"store.example.com/log2"});
  CHECK_THAT(write_text(verdict), Catch::Contains("REPINNED store.example.com/log2"));
}

TEST_CASE("a re-pin that the chain's key did not sign, or of another place, fails",
          "[succession]") {
  Succeeded logs(false);
  logs.statement.clear();
  auto& store = logs.store;
  std::string reason;
  SECTION("another key") {
    repin(store, logs.end, logs.new_key, 2, store.ids.back());
    reason = "repin";
  }
  SECTION("another seq") {
    repin(store, logs.end, store.key, 1, store.ids.front());
    reason = "repin";
  }
  SECTION("a seq that has not come yet") {
    repin(store, logs.end, store.key, 3, store.ids.back());
    reason = "repin";
  }
  SECTION("another bundle before it") {
    repin(store, logs.end, store.key, 2, store.ids.front());
    reason = "repin";
  }
  SECTION("another tree of the log that it leaves") {
    auto other = logs.end;
    other.root[0] ^= 1;
    repin(store, other, store.key, 2, store.ids.back());
    reason = "log-fork";
  }
  SECTION("the log that it joins") {
    repin(store, store.log.head(), store.key, 2, store.ids.back());
    reason = "enrolment";
  }
  SECTION("no signed request for it") {
    repin(store, logs.end, store.key, 2, store.ids.back());
    const auto entry = store.log.entries.back();
    const auto parsed = *leaf::parse(entry);
    const auto& body = std::get<leaf::Repin>(parsed.body);
    store.files.files.erase("statements/" + body.enrol.statement + ".json");
    reason = "enrolment";
  }
  store.seal();
  CHECK(reason_of(logs.verify(logs.policy2)) == reason);
}

TEST_CASE("a chain whose first log is lost goes on from its re-pin", "[succession]") {
  StoreFixture lost;
  lost.seal();
  lost.seal();
  const auto left = lost.log.head();
  const auto prev = lost.ids.back();
  // A new store, which never had the old log.
  lost.log.key = test::key_of(std::string(64, '7'));
  lost.log.vkey = *note::make_vkey("store.example.com/log2", note::KeyType::log, lost.log.key);
  lost.log.entries.clear();
  lost.store_policy = policy_file::write(lost.log.policy());
  repin(lost, left, lost.key, 2, prev);
  SECTION("verified, and said") {
    lost.edit = [](Bundle& bundle) {
      if (bundle.seq == 3) {
        std::get<Observation>(bundle.records.front()).content = SameAs{1, "access_review/3"};
      }
    };
    lost.seal();
    lost.seal();
    const auto verdict = lost.verify();
    INFO(write_text(verdict));
    CHECK(verdict.verified());
    CHECK(verdict.counts.bundles == 2);
    CHECK(verdict.repinned == std::vector<std::string>{"store.example.com/log2"});
    CHECK(verdict.replays.not_replayable == 1);  // What it refers to is in the lost log.
  }
  SECTION("another bundle than the one that follows") {
    lost.edit = [](Bundle& bundle) { bundle.prev = std::string(64, '1'); };
    lost.seal();
    CHECK(reason_of(lost.verify()) == "prev");
  }
}

TEST_CASE("logs in another order than they succeed each other are refused", "[succession]") {
  Succeeded logs;
  logs.publish();
  auto& store = logs.store;
  SECTION("the old log as the current one") {
    store.publish(logs.old, "");
    store.publish(store.log, "logs/log2/");
    CHECK(where_of(verify_store(store.files, store.options())) == "logs/log1");
    std::erase_if(store.files.files, [](const auto& file) {
      return file.first.starts_with("logs/log1/") || file.first.starts_with("successions/");
    });
    const auto verdict = verify_store(store.files, store.options());
    CHECK(reason_of(verdict) == "succession");
    CHECK(where_of(verdict) == "logs/log2");
  }
  SECTION("the old log is gone") {
    std::erase_if(store.files.files,
                  [](const auto& file) { return file.first.starts_with("logs/"); });
    CHECK(reason_of(verify_store(store.files, store.options())) == "checkpoint");
  }
  SECTION("a succession in the middle of a log") {
    store.append(
        leaf::Succession{logs.end.origin, 1, base64_encode(logs.end.root), "x", {}, "local"});
    CHECK(reason_of(logs.verify(logs.policy2)) == "succession");
  }
  SECTION("a byte of the old log changed") {
    store.files.files.at("logs/log1/tile/entries/000.p/4")[200] ^= 1;
    const auto verdict = verify_store(store.files, store.options());
    CHECK(reason_of(verdict) == "entries");
    CHECK(where_of(verdict) == "logs/log1/tile/entries/000.p/4");
  }
}

TEST_CASE("time does not go back from one log to the next", "[succession]") {
  Succeeded logs;
  logs.store.log.entries.clear();
  logs.store.at -= 3600 * 1000;
  logs.succeed(logs.end, true);
  const auto verdict = logs.verify(logs.policy2);
  CHECK(reason_of(verdict) == "at");
  CHECK(where_of(verdict) == "leaf 0");
}

TEST_CASE("what a host saw goes forward over the logs", "[succession]") {
  Succeeded logs;
  logs.store.seal();
  const auto seen_of = [](const test::TestLog& log, std::uint64_t size) {
    const auto head = log.head(size);
    return LogSeen{head.origin, static_cast<std::int64_t>(size), base64_encode(head.root),
                   checkpoint::open(log.signed_head(size), log.vkey)->log_signature};
  };
  SECTION("it may still have seen the old log in the new one") {
    Succeeded early;
    early.store.edit = [&](Bundle& bundle) { bundle.log_seen = seen_of(early.old, 4); };
    early.store.seal();
    CHECK(reason_of(early.verify(early.policy2)) == "");
  }
  SECTION("but not go back to it") {
    logs.store.edit = [&](Bundle& bundle) { bundle.log_seen = seen_of(logs.old, 4); };
    logs.store.seal();
    CHECK(reason_of(logs.verify(logs.policy2)) == "log-seen");
  }
  SECTION("another tree of the old log") {
    Succeeded forked;
    forked.store.edit = [&](Bundle& bundle) {
      auto twin = test::TestLog{};
      twin.entries = forked.old.entries;
      twin.entries[0] = twin.entries[1];
      bundle.log_seen = seen_of(twin, 4);
    };
    forked.store.seal();
    CHECK(reason_of(forked.verify(forked.policy2)) == "log-fork");
  }
}

TEST_CASE("a log that was restored below what it had signed says ROLLBACK", "[succession]") {
  // log1 had three bundles; its store was restored to a state with two, and log2 goes on.
  Succeeded logs;
  auto lost = test::TestLog{};
  lost.entries = logs.old.entries;
  lost.entries.push_back(lost.entries.back());
  const auto size = lost.entries.size();
  std::string seen_by;
  SECTION("by a checkpoint that was kept") {
    logs.store.files.files["logs/log1/checkpoints/" + std::to_string(size)] = lost.signed_head();
    logs.store.seal();
  }
  SECTION("by what a host saw") {
    logs.store.edit = [&](Bundle& bundle) {
      const auto head = lost.head();
      bundle.log_seen =
          LogSeen{head.origin, static_cast<std::int64_t>(size), base64_encode(head.root),
                  checkpoint::open(lost.signed_head(), lost.vkey)->log_signature};
    };
    logs.store.seal();
  }
  const auto verdict = logs.verify(logs.policy2);
  INFO(write_text(verdict));
  CHECK(verdict.verified());
  REQUIRE(verdict.rollbacks.size() == 1);
  CHECK(verdict.rollbacks.front().end == logs.end.size);
  CHECK(verdict.rollbacks.front().size_seen == size);
  CHECK_THAT(write_text(verdict), Catch::Contains("ROLLBACK store.example.com/log1 4…5"));
}

}  // namespace vouch::verify
