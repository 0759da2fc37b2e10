// SPDX-License-Identifier: Apache-2.0
// What the ledger remembers so that a start need not read it again.
#include "agent/vouchd/ledger.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/digest.h"
#include "core/file.h"

namespace vouch::agent {
namespace {

struct Scratch {
  Scratch() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Scratch() { std::filesystem::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path = std::filesystem::temp_directory_path() / "vouch-ledger-XXXXXX";
};

constexpr FileMark kMark{1, 2, 3, 4, 5};

}  // namespace

TEST_CASE("a digest is known by place and mark, and by nothing less", "[ledger]") {
  const Scratch scratch;
  const std::string path = scratch.path + "/agent.db";
  {
    auto ledger = Ledger::open(path);
    REQUIRE(ledger);
    ledger->keep_digest("/bin/one", kMark, "aa");
  }
  auto ledger = Ledger::open(path);
  REQUIRE(ledger);

  CHECK(ledger->find_digest("/bin/one", kMark) == "aa");
  CHECK_FALSE(ledger->find_digest("/bin/two", kMark));
  for (const FileMark& other :
       {FileMark{9, 2, 3, 4, 5}, FileMark{1, 9, 3, 4, 5}, FileMark{1, 2, 9, 4, 5},
        FileMark{1, 2, 3, 9, 5}, FileMark{1, 2, 3, 4, 9}}) {
    CHECK_FALSE(ledger->find_digest("/bin/one", other));
  }
  ledger->keep_digest("/bin/one", {1, 2, 3, 4, 6}, "bb");
  CHECK_FALSE(ledger->find_digest("/bin/one", kMark));
}

TEST_CASE("a program that was touched just now is read each time", "[ledger]") {
  const Scratch scratch;
  const std::string program = scratch.path + "/program";
  REQUIRE(write_file_durable(program, "one", 0755));
  auto ledger = Ledger::open(scratch.path + "/agent.db");
  REQUIRE(ledger);
  const auto mark = file_mark(program);
  REQUIRE(mark);

  CHECK(known_digest(program, *mark, &*ledger).value() == sha256_hex("one"));
  CHECK_FALSE(ledger->find_digest(program, *mark));
  // One that is known by its mark is not.
  ledger->keep_digest(program, *mark, "of before");
  CHECK(known_digest(program, *mark, &*ledger).value() == "of before");
  CHECK(known_digest(program, *mark, nullptr).value() == sha256_hex("one"));
  CHECK(file_mark(scratch.path + "/none").error().code == Errc::not_found);
}

TEST_CASE("packs that another program has read are not known", "[ledger]") {
  const Scratch scratch;
  auto ledger = Ledger::open(scratch.path + "/agent.db");
  REQUIRE(ledger);
  LedgerPackCache mine(*ledger, "program 1");
  LedgerPackCache of_another(*ledger, "program 2");

  mine.keep("pack", "form 1");
  CHECK(mine.find("pack") == "form 1");
  CHECK_FALSE(mine.find("other pack"));
  CHECK_FALSE(of_another.find("pack"));

  of_another.keep("pack", "form 2");
  CHECK(of_another.find("pack") == "form 2");
  CHECK_FALSE(mine.find("pack"));
}

}  // namespace vouch::agent
