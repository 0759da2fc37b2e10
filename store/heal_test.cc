// SPDX-License-Identifier: Apache-2.0
// Files of evidence that were lost or damaged come back when an agent sends them again.
#include <catch2/catch.hpp>
#include <string>

#include "core/file.h"
#include "core/random.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

struct Kept {
  TestStore store;
  TestAgent agent = store.agent();
  std::string blob = GENERATE(as<std::string>{}, "small", random_bytes(100000));
  Sealed first = agent.seal({blob});
  std::string auditor = store.auditor();

  Kept() {
    REQUIRE(store.post_parcel(first.parcel).status == 201);
    store.reopen();  // Places what waited.
  }
  std::string file_of(const std::string& name) const { return store.path() + "/" + name; }
  void lose(const std::string& name) { REQUIRE(remove_file(file_of(name))); }
  void damage(const std::string& name) {
    auto bytes = read_file(file_of(name), 1u << 20);
    REQUIRE(bytes);
    (*bytes)[bytes->size() / 2] = static_cast<char>((*bytes)[bytes->size() / 2] ^ 1);
    REQUIRE(write_file_durable(file_of(name), *bytes));
  }
  std::string blob_name() const { return layout::blob_path(sha256_hex(blob)); }
  Response get_blob() { return store.get("/v1/blobs/sha256/" + sha256_hex(blob), auditor); }
};

}  // namespace

TEST_CASE("a lost blob may not be left out, and comes back with the next parcel", "[heal]") {
  Kept kept;
  kept.lose(kept.blob_name());
  const auto next = kept.agent.seal({kept.blob});

  const auto refused = problem_of(kept.store.post_parcel(TestAgent::parcel(next.envelope, {})));
  CHECK(refused.kind == ProblemKind::missing_blobs);
  CHECK(member(refused, "missing") == json::write(json::Array{sha256_hex(kept.blob)}));
  CHECK(kept.get_blob().status == 404);

  CHECK(kept.store.post_parcel(next.parcel).status == 201);
  CHECK(file_exists(kept.file_of(kept.blob_name())));
  CHECK(kept.get_blob().body == kept.blob);
}

TEST_CASE("the same parcel again mends its damaged blob", "[heal]") {
  Kept kept;
  kept.damage(kept.blob_name());
  CHECK(kept.get_blob().status == 500);  // Never served as if it were the blob.

  CHECK(kept.store.post_parcel(kept.first.parcel).status == 200);

  CHECK(kept.get_blob().body == kept.blob);
}

TEST_CASE("another agent that sends the blob mends it too", "[heal]") {
  Kept kept;
  kept.damage(kept.blob_name());
  auto other = kept.store.agent();

  CHECK(kept.store.post_parcel(other.seal({kept.blob}).parcel).status == 201);

  CHECK(kept.get_blob().body == kept.blob);
}

TEST_CASE("the same parcel again mends its envelope", "[heal]") {
  Kept kept;
  const auto name = layout::bundle_path(kept.agent.id(), 0);
  const bool lost = GENERATE(true, false);
  lost ? kept.lose(name) : kept.damage(name);
  const auto target = "/v1/bundles/" + kept.agent.id() + "/0";
  CHECK(kept.store.get(target, kept.auditor).status == (lost ? 404 : 500));

  CHECK(kept.store.post_parcel(kept.first.parcel).status == 200);

  CHECK(kept.store.get(target, kept.auditor).body == kept.first.envelope);
}

TEST_CASE("no receipt is given again over a blob that is gone", "[heal]") {
  Kept kept;
  kept.lose(kept.blob_name());

  const auto bare = TestAgent::parcel(kept.first.envelope, {kept.agent.config()});
  CHECK(problem_of(kept.store.post_parcel(bare)).kind == ProblemKind::missing_blobs);
  CHECK(kept.store.post_parcel(kept.first.parcel).status == 200);
  CHECK(kept.store.post_parcel(bare).status == 200);
}

TEST_CASE("a blob with other bytes than its digest mends nothing", "[heal]") {
  Kept kept;
  kept.lose(kept.blob_name());
  auto wrong = kept.blob;
  wrong[0] = static_cast<char>(wrong[0] ^ 1);

  CHECK(problem_of(kept.store.post_parcel(TestAgent::parcel(kept.first.envelope, {wrong}))).kind ==
        ProblemKind::bad_blob);
  CHECK(kept.get_blob().status == 404);
}
