// SPDX-License-Identifier: Apache-2.0
// What each parcel is answered, through the whole of a store but its sockets.
#include <algorithm>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/encoding.h"
#include "core/file.h"
#include "core/random.h"
#include "core/zstd.h"
#include "proto/archive_header.h"
#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/parcel.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

// Accepts the receipt as the agent would, but for consistency.
void check_receipt(TestStore& store, const TestAgent& agent, const Sealed& sealed,
                   const std::string& prev, const Response& response) {
  const auto acceptance =
      receipt::accept(response.body, {agent.id(), sealed.seq, sealed.id, prev, agent.keyid()},
                      store.policy(), std::nullopt, std::nullopt);
  CAPTURE(acceptance.detail, response.body);
  CHECK(acceptance.verdict == receipt::Verdict::accepted);
}

}  // namespace

TEST_CASE("a chain is taken bundle by bundle, with a receipt for each", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  std::string prev(kNoPrev);

  for (int i = 0; i < 5; ++i) {
    const auto sealed = agent.seal({"blob " + std::to_string(i)});
    const auto response = store.post_parcel(sealed.parcel, i == 0 ? 1 : 1u << 16);
    REQUIRE(response.status == 201);
    check_receipt(store, agent, sealed, prev, response);
    prev = sealed.id;
  }

  CHECK(store.index().find_agent(agent.id()).value()->link.next_seq == 5);
}

TEST_CASE("the same parcel again gets 200 and a receipt of the same leaf", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto first = agent.seal();
  REQUIRE(store.post_parcel(first.parcel).status == 201);
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);

  const auto again = store.post_parcel(first.parcel);

  CHECK(again.status == 200);
  check_receipt(store, agent, first, std::string(kNoPrev), again);
  const auto fetched = store.get("/v1/receipts/" + first.id);
  CHECK(fetched.body == again.body);
  // Another envelope of the same payload and signature is the same bundle.
  const auto spaced = TestAgent::parcel(" " + first.envelope, {agent.config()});
  CHECK(store.post_parcel(spaced).status == 200);
}

TEST_CASE("those whom nobody knows yet share a bounded memory", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto sealed = agent.seal();
  // A large envelope of which the last byte never comes: a few hundred bytes, and nobody's key.
  constexpr std::size_t kLargeBytes = 4u << 20;
  const auto whole = *write_archive(std::string(kLargeBytes, ' '), std::vector<ParcelBlob>{});
  const auto frame = zstd::compress(whole);
  const std::string_view head = std::string_view(frame).substr(0, frame.size() - 8);
  std::vector<std::unique_ptr<Upload>> uploads;
  const auto start = [&] {
    uploads.push_back(store.handler().upload(
        {"POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", {}, ""}));
    return uploads.back()->feed(head);
  };
  std::size_t held = 0;
  while (held < 64 && start()) ++held;

  CHECK(held > 1);
  CHECK(held < 64);
  std::promise<Response> answer;
  uploads.back()->finish([&](const ResponseMaker& make) { answer.set_value(make()); });
  CHECK(answer.get_future().get().status == 503);
  CHECK(store.post_parcel(sealed.parcel).status == 201);  // The usual ones are not held up.
  uploads.clear();
  CHECK(start());  // What was held is given back.
}

TEST_CASE("the same parcel twice at once makes one leaf", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto sealed = agent.seal();
  std::vector<int> statuses(8);

  std::vector<std::thread> threads;
  for (auto& status : statuses) {
    threads.emplace_back([&] { status = store.post_parcel(sealed.parcel).status; });
  }
  for (auto& thread : threads) thread.join();

  CAPTURE(statuses);
  CHECK(std::count(statuses.begin(), statuses.end(), 201) == 1);
  // Who comes before the checkpoint is out is asked to come again.
  const auto waits = std::count(statuses.begin(), statuses.end(), 503);
  CHECK(std::count(statuses.begin(), statuses.end(), 200) + waits == 7);
  CHECK(store.post_parcel(sealed.parcel).status == 200);
  CHECK(store.index().log_state().value().size == 2);  // The enrolment and the bundle.
}

TEST_CASE("who is not enrolled or has not signed gets no further", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  TestAgent stranger(store.clock.now);

  CHECK(problem_of(store.post_parcel(stranger.seal().parcel)).kind == ProblemKind::unknown_key);

  auto sealed = agent.seal_aside();
  auto envelope = dsse::parse(sealed.envelope);
  REQUIRE(envelope);
  envelope->signature[5] = static_cast<char>(envelope->signature[5] ^ 1);
  CHECK(problem_of(store.post_parcel(TestAgent::parcel(dsse::write(*envelope), {agent.config()})))
            .kind == ProblemKind::bad_signature);

  // Signed by an enrolled key, but in the name of another agent.
  auto other = store.agent();
  const auto forged = other.seal_aside({}, [&](Bundle& bundle) { bundle.agent.id = agent.id(); });
  CHECK(problem_of(store.post_parcel(forged.parcel)).kind == ProblemKind::bad_signature);
  CHECK(store.index().log_state().value().size == 2);
}

TEST_CASE("a hole in the chain is refused with what is expected", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto skipped = agent.seal();
  const auto later = agent.seal();

  const auto problem = problem_of(store.post_parcel(later.parcel));

  CHECK(problem.kind == ProblemKind::chain);
  CHECK(member(problem, "expected_seq") == "1");
  CHECK(member(problem, "fork") == "false");
  CHECK(member(problem, "proof").empty());
  CHECK(store.post_parcel(skipped.parcel).status == 201);
  CHECK(store.post_parcel(later.parcel).status == 201);
}

TEST_CASE("a fork is refused with proof, kept, and logged once", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto other = agent.seal_aside({"other branch"});
  const auto first = agent.seal();
  REQUIRE(store.post_parcel(first.parcel).status == 201);

  const auto problem = problem_of(store.post_parcel(other.parcel));

  CHECK(problem.kind == ProblemKind::chain);
  CHECK(member(problem, "fork") == "true");
  const auto& proof = *problem.members.at("proof").if_string();
  CHECK(receipt::proves_fork(proof, store.policy(), agent.id(), 0, other.id));
  CHECK_FALSE(receipt::proves_fork(proof, store.policy(), agent.id(), 0, first.id));
  CHECK(store.index().log_state().value().size == 3);
  CHECK(problem_of(store.post_parcel(other.parcel)).kind == ProblemKind::chain);
  CHECK(store.index().log_state().value().size == 3);
  CHECK(store.index().find_agent(agent.id()).value()->state == AgentState::forked);
  // The branch that was logged first stays the chain.
  CHECK(store.post_parcel(agent.seal().parcel).status == 201);

  store.reopen();  // Places what waited.
  const auto kept =
      read_file(store.path() + "/" + layout::fork_path(agent.id(), 0, other.id), 1u << 20);
  REQUIRE(kept);
  CHECK(zstd::decompress(*kept, 1u << 20).value() == other.envelope);
}

TEST_CASE("a foreign prev is a fork", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);

  const auto foreign =
      agent.seal_aside({}, [](Bundle& bundle) { bundle.prev = std::string(64, 'a'); });
  const auto problem = problem_of(store.post_parcel(foreign.parcel));

  CHECK(member(problem, "fork") == "true");
  CHECK_FALSE(member(problem, "proof").empty());
}

TEST_CASE("bundles that break a rule of the chain are refused", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  struct Case {
    const char* reason;
    TestAgent::Edit edit;
  };
  const std::vector<Case> cases{
      {"machine", [](Bundle& b) { b.agent.machine = std::string(32, 'f'); }},
      {"boot", [](Bundle& b) { b.boot_us = 0; }},
      {"period", [](Bundle& b) { b.period_from += 1; }},
      {"carried", [](Bundle& b) {
         b.schedule.carried = 1;
         b.schedule.open = {"users/1"};
       }}};

  for (const auto& [reason, edit] : cases) {
    CAPTURE(reason);
    const auto problem = problem_of(store.post_parcel(agent.seal_aside({}, edit).parcel));
    CHECK(problem.kind == ProblemKind::bad_statement);
    CHECK(member(problem, "reason") == json::write(reason));
  }
  const auto old = agent.seal_aside({}, [](Bundle& b) { b.agent.version = "9.9.9"; });
  const auto problem = problem_of(store.post_parcel(old.parcel));
  CHECK(problem.kind == ProblemKind::upgrade_needed);
  CHECK(store.get("/v1/compat").body == *problem.members.at("accepts").if_string());
}

TEST_CASE("after a rotation only the new key signs", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto before = store.index().log_state().value().size;
  const auto rotation = agent.rotate();

  REQUIRE(store.post_parcel(rotation.parcel).status == 201);
  CHECK(store.index().log_state().value().size == before + 2);  // bundle, rotate

  const auto stale = agent.seal_aside({}, [](Bundle& bundle) { bundle.epoch = 0; });
  CHECK(problem_of(store.post_parcel(stale.parcel)).kind == ProblemKind::bad_signature);
  CHECK(store.post_parcel(agent.seal().parcel).status == 201);
}

TEST_CASE("only what this agent has sent before may be left out", "[ingest]") {
  TestStore store;
  auto owner = store.agent();
  auto other = store.agent();
  REQUIRE(store.post_parcel(owner.seal({"a secret"}).parcel).status == 201);

  // The other one knows the digest, but not the content.
  const auto claim = other.seal({"a secret"});
  const auto problem =
      problem_of(store.post_parcel(TestAgent::parcel(claim.envelope, {other.config()})));
  CHECK(problem.kind == ProblemKind::missing_blobs);
  CHECK(member(problem, "missing") == json::write(json::Array{sha256_hex("a secret")}));

  CHECK(store.post_parcel(claim.parcel).status == 201);
  const auto again = owner.seal({"a secret", ""});  // Left out: known, and the empty one.
  CHECK(store.post_parcel(TestAgent::parcel(again.envelope, {})).status == 201);
}

TEST_CASE("blobs that are foreign or wrong are refused, and leave nothing behind", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto sealed = agent.seal_aside();

  const auto foreign = problem_of(
      store.post_parcel(TestAgent::parcel(sealed.envelope, {agent.config(), "foreign"})));
  CHECK(foreign.kind == ProblemKind::bad_blob);
  CHECK(member(foreign, "sha256") == json::write(sha256_hex("foreign")));

  auto archive = write_archive(sealed.envelope, {{sha256_hex(agent.config()), agent.config()}});
  REQUIRE(archive);
  archive->replace(archive->find(agent.config()), 3, "xyz");
  const auto wrong = problem_of(store.post_parcel(zstd::compress(*archive)));
  CHECK(wrong.kind == ProblemKind::bad_blob);
  CHECK_FALSE(store.index().blob_known(sha256_hex("foreign")).value());
  CHECK(store.post_parcel(sealed.parcel).status == 201);
}

TEST_CASE("parcels that are not of the form are malformed", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  const auto good = agent.seal_aside().parcel;
  const std::vector<std::string> bad{"",
                                     "plain",
                                     good + good,
                                     good + "x",
                                     good.substr(0, good.size() - 1),
                                     zstd::compress("not a tar archive"),
                                     zstd::compress(std::string(1024, '\0'))};

  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(i);
    CHECK(problem_of(store.post_parcel(bad[i])).kind == ProblemKind::malformed);
  }
  CHECK(store.post_parcel(good).status == 201);
}

TEST_CASE("bombs are refused without being expanded", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  // A member header that promises an envelope of 8 GiB, and zeros that compress well.
  std::string archive = archive_header("envelope.json", std::size_t{6} << 30);
  archive += std::string(16u << 20, '\0');
  const auto problem = problem_of(store.post_parcel(zstd::compress(archive)));
  CHECK((problem.kind == ProblemKind::too_large || problem.kind == ProblemKind::malformed));

  Request head{
      "POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", std::uint64_t{1} << 40,
      ""};
  const auto upload = store.handler().upload(head);
  CHECK_FALSE(upload->feed("x"));
  std::promise<Response> answer;
  upload->finish([&](const ResponseMaker& make) { answer.set_value(make()); });
  CHECK(problem_of(answer.get_future().get()).kind == ProblemKind::too_large);
}

TEST_CASE("an agent over its quota waits, others do not", "[ingest]") {
  TestStore store({{1u << 20, 3}, nullptr});
  auto busy = store.agent();
  auto quiet = store.agent();
  for (int i = 0; i < 3; ++i) REQUIRE(store.post_parcel(busy.seal().parcel).status == 201);
  const auto fourth = busy.seal();

  const auto response = store.post_parcel(fourth.parcel);

  CHECK(problem_of(response).kind == ProblemKind::quota);
  CHECK(member(problem_of(response), "unit") == "\"parcels\"");
  CHECK(std::any_of(response.headers.begin(), response.headers.end(),
                    [](const auto& header) { return header.first == "Retry-After"; }));
  CHECK(store.post_parcel(quiet.seal().parcel).status == 201);
  store.clock.now += 3600 * 1000;
  CHECK(store.post_parcel(fourth.parcel).status == 201);
}

TEST_CASE("time in the log never goes back, whatever the clock does", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto before = store.index().log_state().value().at;
  store.clock.now -= 86400000;

  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);

  CHECK(store.index().log_state().value().at == before);
}

TEST_CASE("large blobs survive a restart like small ones", "[ingest]") {
  TestStore store;
  auto agent = store.agent();
  std::string large = random_bytes(300000);
  REQUIRE(store.post_parcel(agent.seal({large, "small"}).parcel, 4096).status == 201);
  const auto auditor = store.auditor();
  const auto target = "/v1/blobs/sha256/";
  CHECK(store.get(target + sha256_hex("small"), auditor).body == "small");  // Maybe still waiting.

  store.reopen();

  CHECK(store.get(target + sha256_hex(large), auditor).body == large);
  CHECK(store.get(target + sha256_hex("small"), auditor).body == "small");
  CHECK(store.get(target + sha256_hex("other"), auditor).status == 404);
}
