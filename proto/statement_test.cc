// SPDX-License-Identifier: Apache-2.0
#include "proto/statement.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "core/digest.h"
#include "proto/limits.h"
#include "proto/outcomes.h"
#include "proto/subjects.h"
#include "proto/test_bundle.h"

using namespace vouch;

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  CAPTURE(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// A statement whose outcomes table and policy set are there to be read.
struct WithBlobs {
  WithBlobs() {
    Outcome outcome;
    outcome.check = "access.dormant";
    outcome.control = "access";
    outcome.outcome = OutcomeKind::fail;
    outcome.violations = 1;
    outcome.findings = test::digest_of("findings");
    const auto table = *write_outcomes({outcome});
    const auto policy = *write_policy_set({{"linux-server.access", test::digest_of("pack")}});
    blobs = {{table.sha256, table.bytes}, {sha256_hex(policy), policy}};
    auto& content =
        std::get<RunContent>(std::get<Observation>(statement.bundle.records[0]).content);
    content.policy = sha256_hex(policy);
    content.outcomes = {1, table.sha256};
    statement.subject = name_subjects(*all_blobs(statement.bundle, reader()));
  }
  BlobReader reader() const {
    return [this](std::string_view sha256) -> Result<std::string> {
      const auto found = blobs.find(std::string(sha256));
      if (found == blobs.end()) return Error{Errc::not_found, "no such blob"};
      return found->second;
    };
  }
  Statement statement = test::first_statement();
  std::map<std::string, std::string> blobs;
};

}  // namespace

TEST_CASE("a statement reads back as it was written", "[statement]") {
  const auto statement = test::next_statement(test::first_statement());
  const auto payload = write_statement(statement);

  REQUIRE(payload);
  const auto read = parse_statement(*payload);
  REQUIRE(read);
  CHECK(*write_statement(*read) == *payload);
  CHECK(read->subject == statement.subject);
  CHECK(json::write(*json::parse(*payload)) == *payload);
}

TEST_CASE("no member of a statement may be missing or of another type", "[statement]") {
  const auto good = *json::parse(*write_statement(test::first_statement()));
  const std::vector<std::string> optional = {"log_seen", "enrolment", "error_us"};
  using Rebuild = std::function<json::Value(const json::Value&)>;
  const std::function<void(const json::Value&, const Rebuild&)> check_members =
      [&](const json::Value& part, const Rebuild& rebuild) {
        if (!part.if_object()) return;
        for (const auto& [key, member] : *part.if_object()) {
          if (key == "records") continue;
          CAPTURE(key);
          auto copy = part;
          copy.if_object()->erase(key);
          const bool may_lack = std::ranges::find(optional, key) != optional.end();
          CHECK(parse_statement(json::write(rebuild(copy))).has_value() == may_lack);
          copy.if_object()->insert_or_assign(key, json::Value());
          CHECK_FALSE(parse_statement(json::write(rebuild(copy))));
          const std::string& name = key;  // clang 14 captures no structured binding.
          check_members(member, [&](const json::Value& inner) {
            auto outer = part;
            outer.if_object()->insert_or_assign(name, inner);
            return rebuild(outer);
          });
        }
      };
  check_members(good, [](const json::Value& whole) { return whole; });
}

TEST_CASE("a statement that breaks a rule is refused, naming the place", "[statement]") {
  const auto good = *write_statement(test::first_statement());
  const auto config = test::digest_of("config");
  const auto [from, to, pointer] = GENERATE_COPY(table<std::string, std::string, std::string>({
      {"in-toto.io/Statement/v1", "in-toto.io/Statement/v2", "/_type"},
      {"evidence-bundle:v1", "evidence-bundle:v2", "/predicateType"},
      {"\"kind\":\"observation\"", "\"kind\":\"opinion\"", "/predicate/records/0/kind"},
      {"\"name\":\"config\"", "\"name\":\"\"", "/subject/0/name"},
      {"\"name\":\"config\"", "\"name\":\"zzz\"", "/subject/1/name"},
      {"\"name\":\"config\"", "\"name\":\"outcomes/access_review\"", "/subject/1/name"},
      {config, test::digest_of("other"), "/subject"},
      {"6f1c2a9e-0b7d-4c53", "6f1c2a9e-0b7d-1c53", "/predicate/agent/id"},
      {"\"seq\":0", "\"seq\":-1", "/predicate/chain/seq"},
      {"\"seq\":0", "\"seq\":1", "/predicate/enrolment"},
      {"\"epoch\":0", "\"epoch\":1", "/predicate/chain/epoch"},
      {"\"expected\":1", "\"expected\":2", "/predicate/schedule"},
      {"\"observed\":1", "\"observed\":2", "/predicate/schedule"},
      {"\"carried\":0,\"expected\":1", "\"carried\":1,\"expected\":0", ""},
      {"\"open\":[]", "\"open\":[\"access_review/0\"]", "/predicate/schedule/open"},
      {"\"open\":[]", "\"open\":[\"access_review/1+1\"]", "/predicate/schedule/open"},
      {"\"open\":[]", "\"open\":[\"a/1\",\"a/1\"]", "/predicate/schedule/open"},
      {"\"to\":\"2026", "\"to\":\"2027", "/predicate/period/to"},
      {"\"next_due\":\"2026", "\"next_due\":\"2025", "/predicate/next_due"},
      {"\"next_due\":\"2026", "\"next_due\":\"2027", "/predicate/next_due"},
      {"\"synced\":false", "\"synced\":0", "/predicate/clock/synced"},
      {"\"us\":1000000", "\"us\":1.0", "/"},
  }));
  CAPTURE(from, to);
  const auto read = parse_statement(replaced(good, from, to));
  if (pointer.empty()) {  // The sum stays: only the chain knows `carried`.
    CHECK(read);
    return;
  }

  REQUIRE_FALSE(read);
  CHECK_THAT(read.error().message, Catch::StartsWith(pointer + ": "));
}

TEST_CASE("key-rotate and config-change come last, and every run once", "[statement]") {
  auto statement = test::first_statement();
  auto& records = statement.bundle.records;
  const KeyRotate rotate{test::kStart, 1, test::seeded_key('b').public_key().spki(), "p"};

  SECTION("a record after key-rotate") {
    records.insert(records.begin(), rotate);
  }
  SECTION("a key-rotate of another epoch") {
    records.push_back(rotate);
    std::get<KeyRotate>(records.back()).epoch = 2;
  }
  SECTION("a record after config-change") {
    records.insert(records.begin(), ConfigChange{{test::kStart, test::digest_of("config"),
                                                  test::digest_of("new"), "root", ""}});
  }
  SECTION("a run twice") {
    records.push_back(records.front());
    statement.bundle.schedule.expected = 2;
  }
  test::settle(statement);
  CHECK_FALSE(write_statement(statement));
}

TEST_CASE("key-rotate as the last record is accepted", "[statement]") {
  auto statement = test::first_statement();
  statement.bundle.records.emplace_back(
      KeyRotate{test::kStart, 1, test::seeded_key('b').public_key().spki(), "p"});
  test::settle(statement);

  CHECK(write_statement(statement));
}

TEST_CASE("counts that would overflow are refused, not wrapped", "[statement]") {
  auto statement = test::first_statement();
  statement.bundle.records.clear();
  for (const auto* collector : {"a", "b", "c"}) {
    statement.bundle.records.emplace_back(
        RunMissed{test::kStart, collector, {0, json::kIntegerMax}, "overrun"});
  }
  test::settle(statement);

  CHECK(statement.bundle.schedule.missed == json::kIntegerMax);
  CHECK_FALSE(write_statement(statement));
}

TEST_CASE("more subjects, records or bytes than allowed are refused", "[statement]") {
  auto statement = test::first_statement();
  SECTION("1,025 subjects") {
    while (statement.subject.size() < 1025) {
      const auto name = "zz" + std::to_string(1000 + statement.subject.size());
      statement.subject.push_back({name, test::digest_of(name)});
    }
    CHECK_FALSE(write_statement(statement));
    statement.subject.pop_back();
    CHECK(write_statement(statement));
  }
  SECTION("4,097 records") {
    for (int i = 1; i <= 4096; ++i) statement.bundle.records.emplace_back(Heartbeat{i});
    CHECK_FALSE(write_statement(statement));
    statement.bundle.records.pop_back();
    CHECK(write_statement(statement));
  }
  SECTION("4 MiB") {
    const auto read = parse_statement(std::string(kStatementBytesMax + 1, ' '));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::too_large);
  }
}

TEST_CASE("subjects are the blobs of the predicate, of its outcomes and of its policy set",
          "[statement]") {
  const WithBlobs with;
  std::map<std::string, std::string> named;
  for (const auto& subject : with.statement.subject) named[subject.name] = subject.sha256;

  CHECK(named.size() == 7);
  CHECK(named.at("config") == test::digest_of("config"));
  CHECK(named.at("table/users") == test::digest_of("users"));
  CHECK(named.at("table/baseline_users") == test::digest_of("baseline"));
  CHECK(named.at("findings/access.dormant") == test::digest_of("findings"));
  CHECK(named.at("pack/linux-server.access") == test::digest_of("pack"));
  CHECK(named.contains("pack/set"));
  CHECK(named.contains("outcomes/access_review"));
  bool complete = false;
  CHECK(check_subjects(with.statement, with.reader(), complete));
  CHECK(complete);
}

TEST_CASE("a subject too many or too few is refused", "[statement]") {
  WithBlobs with;
  bool complete = false;
  SECTION("too many") {
    with.statement.subject.push_back({"zzz", test::digest_of("foreign")});
  }
  SECTION("no findings") {
    std::erase_if(with.statement.subject,
                  [](const auto& subject) { return subject.name.starts_with("findings/"); });
  }
  SECTION("no pack") {
    std::erase_if(with.statement.subject,
                  [](const auto& subject) { return subject.name.starts_with("pack/linux"); });
  }
  SECTION("no table") {
    std::erase_if(with.statement.subject,
                  [](const auto& subject) { return subject.name == "table/users"; });
  }
  CHECK_FALSE(check_subjects(with.statement, with.reader(), complete));
}

TEST_CASE("what a purged outcomes table named is unknown, the rest is checked", "[statement]") {
  WithBlobs with;
  with.blobs.clear();
  bool complete = true;
  CHECK(check_subjects(with.statement, with.reader(), complete));
  CHECK_FALSE(complete);
  with.statement.subject.clear();
  CHECK_FALSE(check_subjects(with.statement, with.reader(), complete));
}

TEST_CASE("executables, bundles and lost blobs are no subjects; all other digests are",
          "[statement]") {
  Bundle bundle;
  bundle.config = test::digest_of("config");
  bundle.records = test::one_of_each();
  std::map<std::string, std::string> named;
  for (const auto& subject : name_subjects(blobs_of_bundle(bundle))) {
    named[subject.sha256] = subject.name;
  }

  CHECK_FALSE(named.contains(test::digest_of("executable")));
  CHECK_FALSE(named.contains(test::digest_of("vouchd")));
  CHECK_FALSE(named.contains(test::digest_of("lost")));
  const auto suffixed = [](std::string_view name, std::string_view text) {
    return std::string(name) + "@" + test::digest_of(text).substr(0, 12);
  };
  CHECK(named.at(test::digest_of("config")) == suffixed("config", "config"));
  CHECK(named.at(test::digest_of("config2")) == suffixed("config", "config2"));
  CHECK(named.at(test::digest_of("policy2")) == suffixed("pack/set", "policy2"));
  CHECK(named.at(test::digest_of("waivers2")) == suffixed("table/waivers", "waivers2"));
  CHECK(named.at(test::digest_of("pdf")) == "attachment/policy.pdf");
  CHECK(named.at(test::digest_of("baseline")) == "table/baseline_users");
}

TEST_CASE("of several names for one digest the least stands", "[statement]") {
  const auto subjects = name_subjects({{"table/z", "1"}, {"table/a", "1"}, {"config", "2"}});

  CHECK(subjects == std::vector<Subject>{{"config", "2"}, {"table/a", "1"}});
}
