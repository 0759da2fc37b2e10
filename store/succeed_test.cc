// SPDX-License-Identifier: Apache-2.0
// The log goes on in another: by both keys, after a restored copy, and with the key lost.
#include "store/succeed.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/file.h"
#include "proto/chain.h"
#include "proto/succession.h"
#include "store/commands.h"
#include "store/fsck.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

const std::string kNewOrigin = "store.example.com/log2";

struct Line {
  TestStore store;
  TestAgent agent = store.agent();
  Sealed first = agent.seal({"blob"});
  note::VerifierKey old_vkey = read_vkey(store.path()).value();
  checkpoint::Checkpoint old_head;

  Line() {
    REQUIRE(store.post_parcel(first.parcel).status == 201);
    old_head = head(old_vkey);
    store.close();
  }
  checkpoint::Checkpoint head(const note::VerifierKey& vkey) {
    auto opened = checkpoint::open(store.get("/v1/checkpoint").body, vkey);
    REQUIRE(opened);
    return opened->checkpoint;
  }
  note::VerifierKey succeed(SuccessionPlan plan = {kNewOrigin, "planned", false, "local"}) {
    auto text = vouch::store::succeed(store.path(), store.clock, plan);
    REQUIRE(text);
    store.reopen();
    CHECK(note::write_vkey(read_vkey(store.path()).value()) == *text);
    return note::parse_vkey(*text).value();
  }
  leaf::Leaf leaf(std::uint64_t index) {
    const auto size = store.index().log_state().value().size;
    const auto bytes =
        store.get("/v1/tile/entries/000.p/" + std::to_string(size), store.auditor()).body;
    return leaf::parse(tile::parse_entries(bytes, size).value()[index]).value();
  }
  policy_file::Policy policy() { return {{{read_vkey(store.path()).value(), ""}}, {}, {}, "none"}; }
};

enrolment::Predicate repin_of(const TestAgent& agent, const checkpoint::Checkpoint& seen,
                              std::int64_t next_seq, const std::string& prev) {
  enrolment::Predicate predicate = agent.predicate();
  predicate.repin =
      enrolment::Repin{seen.origin, seen.size, base64_encode(seen.root), 0, next_seq, prev};
  return predicate;
}

}  // namespace

TEST_CASE("a log goes on in its successor, and both keys say so", "[succeed]") {
  Line line;

  const auto vkey = line.succeed();

  const auto note = line.store.get("/v1/succession");
  REQUIRE(note.status == 200);
  const auto opened = succession::open(note.body, line.old_vkey);
  REQUIRE(opened);
  CHECK(opened->statement.end == line.old_head);
  CHECK(opened->statement.successor == vkey);
  CHECK(line.store.get("/v1/successions/log1").body == note.body);
  CHECK(line.store.get("/v1/successions/log2").status == 404);
  CHECK(read_file(line.store.path() + "/successions/log1", 1u << 16).value() == note.body);
  const auto first = line.leaf(0);
  CHECK(succession::check_leaf(std::get<leaf::Succession>(first.body), opened->statement));
  CHECK(line.head(vkey).size == 1);
}

TEST_CASE("the earlier log stays readable under its name", "[succeed]") {
  Line line;
  line.succeed();
  const auto old = checkpoint::open(line.store.get("/v1/logs/log1/checkpoint").body, line.old_vkey);

  REQUIRE(old);
  CHECK(old->checkpoint == line.old_head);
  CHECK(line.store.get("/v1/logs/log1/tile/0/000.p/2").body.size() == 64);
  CHECK(line.store.get("/v1/logs/log1/tile/entries/000.p/2").status == 401);
  CHECK(line.store.get("/v1/logs/log1/tile/entries/000.p/2", line.store.auditor()).status == 200);
  CHECK(line.store.get("/v1/logs/log2/checkpoint").status == 404);
  CHECK(line.store.get("/v1/logs/log1/../../store.db").status == 404);
  CHECK(line.store.get("/v1/logs/log1/log.vkey").status == 404);
}

TEST_CASE("chains go on, and a bundle of the earlier log keeps its receipt there", "[succeed]") {
  Line line;
  line.succeed();

  const auto again = line.store.post_parcel(line.first.parcel);
  CHECK(again.status == 200);
  CHECK(
      receipt::accept(again.body,
                      {line.agent.id(), 0, line.first.id, std::string(kNoPrev), line.agent.keyid()},
                      {{{line.old_vkey, ""}}, {}, {}, "none"}, std::nullopt, std::nullopt)
          .verdict == receipt::Verdict::accepted);
  const auto next = line.agent.seal({"blob"});
  const auto answer = line.store.post_parcel(next.parcel);
  REQUIRE(answer.status == 201);
  CHECK(receipt::accept(answer.body,
                        {line.agent.id(), 1, next.id, line.first.id, line.agent.keyid()},
                        line.policy(), std::nullopt, std::nullopt)
            .verdict == receipt::Verdict::accepted);
  CHECK(line.store.get("/v1/receipts/" + next.id).body == answer.body);
  line.store.reopen();
  line.store.close();
  DirectoryDisk disk(line.store.path(), nullptr);
  auto index = line.store.index();
  const auto counts = check_files(disk, index, read_vkey(line.store.path()).value(),
                                  [](const Fault& fault) { WARN(fault.name); });
  REQUIRE(counts);
  CHECK(counts->faults == 0);
  CHECK(counts->bundles == 2);
  CHECK(counts->leaves == 4);
}

TEST_CASE("a third log follows the second", "[succeed]") {
  Line line;
  line.succeed();
  REQUIRE(line.store.post_parcel(line.agent.seal().parcel).status == 201);
  line.store.close();

  line.succeed({"store.example.com/log3", "planned", false, "local"});

  CHECK(line.store.get("/v1/succession").body == line.store.get("/v1/successions/log2").body);
  CHECK(line.store.get("/v1/successions/log1").status == 200);
  CHECK(line.store.post_parcel(line.first.parcel).status == 200);
  CHECK(line.store.post_parcel(line.agent.seal().parcel).status == 201);
}

TEST_CASE("a succession that was cut short is finished at the next start", "[succeed]") {
  Line line;
  const auto in_the_way = line.store.path() + "/successions";
  REQUIRE(write_file_durable(in_the_way, "not a folder"));
  CHECK_FALSE(
      succeed(line.store.path(), line.store.clock, {kNewOrigin, "planned", false, "local"}));
  CHECK_FALSE(Store::open(line.store.path(), line.store.clock));  // Decided, and not moved.
  REQUIRE(remove_file(in_the_way));

  line.store.reopen();

  CHECK(succession::open(line.store.get("/v1/succession").body, line.old_vkey));
  CHECK(read_settings(line.store.path()).value().origin == kNewOrigin);
  CHECK_FALSE(line.store.index().pending_succession().value());
  CHECK_FALSE(file_exists(line.store.path() + "/successor"));
  CHECK(line.store.post_parcel(line.agent.seal().parcel).status == 201);
}

TEST_CASE("a store that was set back ends its log there, and is refilled", "[succeed]") {
  Line line;
  const auto database = line.store.path() + "/store.db";
  const auto old_index = read_file(database, 1u << 24);
  REQUIRE(old_index);
  line.store.reopen();
  const auto lost = line.agent.seal();
  REQUIRE(line.store.post_parcel(lost.parcel).status == 201);
  line.store.close();
  REQUIRE(write_file_durable(database, *old_index));
  REQUIRE(remove_file(database + "-wal"));
  REQUIRE_FALSE(Store::open(line.store.path(), line.store.clock));

  line.succeed({kNewOrigin, "rollback", false, "local"});

  const auto opened = succession::open(line.store.get("/v1/succession").body, line.old_vkey);
  REQUIRE(opened);
  CHECK(opened->statement.end == line.old_head);
  CHECK(line.store.post_parcel(lost.parcel).status == 201);
}

TEST_CASE("with the old key lost nobody consents, and each chain is pinned again", "[succeed]") {
  Line line;
  REQUIRE(remove_file(line.store.path() + "/private/log.pem"));
  CHECK_FALSE(succeed(line.store.path(), line.store.clock, {kNewOrigin, "x", false, "local"}));

  line.succeed({kNewOrigin, "key-lost", true, "local"});

  CHECK(line.store.get("/v1/succession").status == 404);
  CHECK_FALSE(std::get<leaf::Succession>(line.leaf(0).body).statement);
  // Until then nothing new is taken, since the agent would not believe the receipt; what is on
  // record has its receipt still.
  const Sealed second = line.agent.seal();
  CHECK(problem_of(line.store.post_parcel(second.parcel)).kind == ProblemKind::unknown_key);
  CHECK(line.store.post_parcel(line.first.parcel).status == 200);
  const auto join = line.store.join(3);
  const auto body = *enrolment::make_request(repin_of(line.agent, line.old_head, 1, line.first.id),
                                             join, line.agent.key());
  const auto answer = line.store.post_enroll(body);
  CAPTURE(answer.body);
  REQUIRE(answer.status == 201);
  const auto checked = enrolment::check_response(enrolment::parse_response(answer.body).value(),
                                                 join, enrolment::parse_request(body).value());
  CHECK(checked);
  CHECK(line.store.post_enroll(body).status == 200);
  const auto leaf = std::get<leaf::Repin>(line.leaf(1).body);
  CHECK(leaf.next_seq == 1);
  CHECK(leaf.prev == line.first.id);
  CHECK(line.store.post_parcel(second.parcel).status == 201);
}

TEST_CASE("a re-pin must name the chain that is on record", "[succeed]") {
  Line line;
  line.succeed({kNewOrigin, "planned", false, "local"});
  const auto join = line.store.join(5);
  const auto ask = [&](const enrolment::Predicate& predicate, const SigningKey& key) {
    return line.store.post_enroll(*enrolment::make_request(predicate, join, key));
  };
  const auto good = repin_of(line.agent, line.old_head, 1, line.first.id);

  auto behind = good;
  behind.repin->next_seq = 0;
  const auto problem = problem_of(ask(behind, line.agent.key()));
  CHECK(problem.kind == ProblemKind::chain);
  CHECK(member(problem, "expected_seq") == "1");
  auto foreign = good;
  foreign.repin->prev = std::string(64, 'a');
  CHECK(problem_of(ask(foreign, line.agent.key())).kind == ProblemKind::chain);
  auto elsewhere = good;
  elsewhere.repin->origin = "other.example.com/log1";
  CHECK(problem_of(ask(elsewhere, line.agent.key())).kind == ProblemKind::malformed);
  const TestAgent stranger(line.store.clock.now);
  CHECK(problem_of(ask(good, stranger.key())).kind == ProblemKind::malformed);
  CHECK(problem_of(ask(repin_of(stranger, line.old_head, 1, line.first.id), stranger.key())).kind ==
        ProblemKind::malformed);
  CHECK(ask(good, line.agent.key()).status == 201);
  CHECK(line.store.index().find_token(hex_encode(join.token_id)).value()->uses_left == 4);
}

TEST_CASE("a successor needs a name that was never used", "[succeed]") {
  Line line;
  const auto origin = GENERATE(as<std::string>{}, "store.example.com/log1", "log1", "a b", "x/..",
                               "x/", "vouch-succession/v1");
  CAPTURE(origin);
  CHECK(command_succeed({"--dir", line.store.path(), "--origin", origin}) != kExitOk);
  line.store.reopen();
  CHECK(line.head(line.old_vkey) == line.old_head);
  CHECK(command_succeed({"--dir", line.store.path(), "--origin", kNewOrigin}) == kExitUnavailable);
}
