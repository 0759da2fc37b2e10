// SPDX-License-Identifier: Apache-2.0
#include "store/drops.h"

#include <catch2/catch.hpp>
#include <string>

#include "proto/drop_notice.h"
#include "store/commands.h"
#include "store/fsck.h"
#include "store/orders.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

drop_notice::Notice notice_of(const TestAgent& agent, std::int64_t seq, const std::string& blob) {
  return {agent.id(), seq, {{"attachment/file-0", sha256_hex(blob)}}, "vouchd", "damaged"};
}

}  // namespace

TEST_CASE("a bundle is taken without the blobs that its agent's notice gives up", "[drops]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto notice = *drop_notice::make(notice_of(agent, 1, "lost"), agent.key());
  const auto sealed = agent.seal({"lost"});
  const auto bare = TestAgent::parcel(sealed.envelope, {});
  CHECK(store.post_parcel(bare).status == 409);

  const auto answer = store.post_drop(notice);

  REQUIRE(answer.status == 201);
  const auto opened = receipt::open(answer.body, store.policy());
  REQUIRE(opened.verdict == receipt::Verdict::accepted);
  const auto& leaf = std::get<leaf::Drop>(opened.opened->leaf.body);
  CHECK(leaf.agent == agent.id());
  CHECK(leaf.seq == 1);
  CHECK(leaf.statement == drop_notice::parse(notice)->statement);
  CHECK(store.post_drop(notice).status == 200);
  CHECK(store.post_parcel(bare).status == 201);
  CHECK(store.post_parcel(bare).status == 200);
  // What was dropped may come all the same.
  CHECK(store.post_parcel(sealed.parcel).status == 200);
  CHECK(store.get("/v1/blobs/sha256/" + sha256_hex("lost"), store.auditor()).body == "lost");
}

TEST_CASE("a notice excuses only the blobs that it names, of the bundle that it names", "[drops]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  REQUIRE(store.post_drop(*drop_notice::make(notice_of(agent, 1, "lost"), agent.key())).status ==
          201);
  const auto both = agent.seal_aside({"lost", "kept"});
  const auto problem = problem_of(store.post_parcel(TestAgent::parcel(both.envelope, {})));
  CHECK(member(problem, "missing") == json::write(json::Array{sha256_hex("kept")}));

  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto later = agent.seal({"lost"});
  CHECK(store.post_parcel(TestAgent::parcel(later.envelope, {})).status == 409);
}

TEST_CASE("a notice needs the key of that bundle's epoch", "[drops]") {
  TestStore store;
  auto agent = store.agent();
  auto other = store.agent();
  TestAgent stranger(store.clock.now);
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto post = [&](const drop_notice::Notice& notice, const SigningKey& key) {
    return problem_of(store.post_drop(*drop_notice::make(notice, key))).kind;
  };

  CHECK(post(notice_of(agent, 1, "x"), stranger.key()) == ProblemKind::unknown_key);
  CHECK(post(notice_of(agent, 1, "x"), other.key()) == ProblemKind::bad_signature);
  CHECK(post(notice_of(agent, 2, "x"), agent.key()) == ProblemKind::chain);
  const auto old_key_notice = *drop_notice::make(notice_of(agent, 2, "x"), agent.key());
  const auto first_notice = *drop_notice::make(notice_of(agent, 0, "x"), agent.key());
  REQUIRE(store.post_parcel(agent.rotate().parcel).status == 201);
  CHECK(problem_of(store.post_drop(old_key_notice)).kind == ProblemKind::bad_signature);
  CHECK(post(notice_of(agent, 0, "x"), agent.key()) == ProblemKind::bad_signature);
  CHECK(store.post_drop(first_notice).status == 201);
  CHECK(problem_of(store.post_drop("{}")).kind == ProblemKind::malformed);
  CHECK(problem_of(store.post_drop(std::string(600000, 'x'))).kind == ProblemKind::too_large);
}

TEST_CASE("where the key is gone, an operator's word takes the bundle as it is", "[drops]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto sealed = agent.seal({"lost"});
  const auto bare = TestAgent::parcel(sealed.envelope, {});
  CHECK(store.post_parcel(bare).status == 409);
  store.close();

  CHECK(command_drop({agent.id(), "1", "--dir", store.path()}) == kExitOk);
  CHECK(command_drop({agent.id(), "1", "--dir", store.path()}) == kExitFailed);  // Said already.
  store.reopen();
  CHECK(store.post_parcel(bare).status == 201);
  store.reopen();
  store.close();

  DirectoryDisk disk(store.path(), nullptr);
  auto index = store.index();
  const auto counts =
      check_files(disk, index, read_vkey(store.path()).value(), [](const Fault&) {});
  REQUIRE(counts);
  CHECK(counts->faults == 0);
  CHECK(counts->dropped == 1);
}
