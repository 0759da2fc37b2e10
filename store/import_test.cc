// SPDX-License-Identifier: Apache-2.0
#include "store/import.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "proto/chain.h"
#include "store/commands.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

// A stick with parcels as `vouch parcel export` writes them.
struct Stick {
  TestDirectory dir;

  std::string stem(const TestAgent& agent, std::int64_t seq) const {
    const auto digits = std::to_string(seq);
    return dir.path() + "/" + agent.id() + "/" + std::string(10 - digits.size(), '0') + digits;
  }
  void put(const TestAgent& agent, const Sealed& sealed) {
    REQUIRE(make_directories(dir.path() + "/" + agent.id()));
    REQUIRE(write_file_durable(stem(agent, sealed.seq) + ".parcel", sealed.parcel));
  }
  std::string read(const TestAgent& agent, std::int64_t seq, const char* suffix) const {
    auto bytes = read_file(stem(agent, seq) + suffix, 1u << 20);
    return bytes ? *bytes : "";
  }
};

int import(TestStore& store, const Stick& stick) {
  store.close();
  const int code = command_import({stick.dir.path(), "--dir", store.path()});
  store.reopen();
  return code;
}

}  // namespace

TEST_CASE("parcels from a stick are taken in order, and their receipts are accepted", "[import]") {
  TestStore store;
  auto agent = store.agent();
  auto other = store.agent();
  const auto head =
      checkpoint::open(store.get("/v1/checkpoint").body, read_vkey(store.path()).value());
  REQUIRE(head);
  Stick stick;
  std::vector<Sealed> sealed;
  for (int i = 0; i < 12; ++i) {  // More than nine: by number, not by name.
    sealed.push_back(agent.seal({"blob " + std::to_string(i)}, [&](Bundle& bundle) {
      bundle.log_seen =
          LogSeen{head->checkpoint.origin, static_cast<std::int64_t>(head->checkpoint.size),
                  base64_encode(head->checkpoint.root), head->log_signature};
    }));
    stick.put(agent, sealed.back());
  }
  stick.put(other, other.seal());

  CHECK(import(store, stick) == kExitOk);

  std::optional<checkpoint::Signed> accepted = *head;
  std::string prev(kNoPrev);
  for (const auto& one : sealed) {
    const auto acceptance =
        receipt::accept(stick.read(agent, one.seq, ".tlog-proof"),
                        {agent.id(), one.seq, one.id, prev, agent.keyid()}, store.policy(),
                        accepted->checkpoint, stick.read(agent, one.seq, ".consistency"));
    CAPTURE(one.seq, acceptance.detail);
    REQUIRE(acceptance.verdict == receipt::Verdict::accepted);
    accepted = acceptance.opened->checkpoint;
    prev = one.id;
  }
  CHECK_FALSE(stick.read(other, 0, ".tlog-proof").empty());
  CHECK(stick.read(other, 0, ".consistency").empty());  // It has seen no checkpoint.
  CHECK(store.index().find_agent(agent.id()).value()->link.next_seq == 12);
  CHECK(import(store, stick) == kExitOk);  // Once more changes nothing.
}

TEST_CASE("a parcel that is refused stops its own chain alone, and says why", "[import]") {
  TestStore store;
  auto agent = store.agent();
  auto other = store.agent();
  Stick stick;
  const auto first = agent.seal();
  const auto left_out = agent.seal({"a blob"});
  stick.put(agent, first);
  stick.put(agent, {1, left_out.id, left_out.envelope, TestAgent::parcel(left_out.envelope, {})});
  stick.put(agent, agent.seal());
  stick.put(other, other.seal());

  CHECK(import(store, stick) == kExitFailed);

  CHECK_FALSE(stick.read(agent, 0, ".tlog-proof").empty());
  CHECK(stick.read(agent, 1, ".tlog-proof").empty());
  const auto refused = json::parse(stick.read(agent, 1, ".refused.json"));
  REQUIRE(refused);
  CHECK(json::get_integer(*refused, "status").value() == 409);
  CHECK(json::get_integer(*refused, "seq").value() == 1);
  const auto problem = parse_problem(json::write(*refused->find("problem")));
  REQUIRE(problem);
  CHECK(problem->kind == ProblemKind::missing_blobs);
  CHECK_FALSE(file_exists(stick.stem(agent, 2) + ".refused.json"));
  CHECK_FALSE(stick.read(other, 0, ".tlog-proof").empty());
}

TEST_CASE("what is no parcel on the stick is never followed", "[import]") {
  TestStore store;
  auto agent = store.agent();
  Stick stick;
  stick.put(agent, agent.seal());
  const auto folder = stick.dir.path() + "/" + agent.id();
  REQUIRE(write_file_durable(folder + "/note.txt", "hello"));
  REQUIRE(write_file_durable(folder + "/x1.parcel", "hello"));
  REQUIRE(make_directories(stick.dir.path() + "/not-an-agent"));
  CHECK(import(store, stick) == kExitOk);

  SECTION("a link") {
    REQUIRE(::symlink("/etc/hostname", (stick.stem(agent, 1) + ".parcel").c_str()) == 0);
  }
  SECTION("a FIFO") {
    REQUIRE(::mkfifo((stick.stem(agent, 1) + ".parcel").c_str(), 0600) == 0);
  }
  CHECK(import(store, stick) == kExitFailed);
}

TEST_CASE("a serving store is not imported into behind its back", "[import]") {
  TestStore store;
  Stick stick;

  CHECK(command_import({stick.dir.path(), "--dir", store.path()}) == kExitUnavailable);
  CHECK(command_import({"--dir", store.path()}) == kExitUsage);
  store.close();
  CHECK(command_import({stick.dir / "none", "--dir", store.path()}) == kExitFailed);
}
