// SPDX-License-Identifier: Apache-2.0
#include "proto/record.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/digest.h"
#include "proto/outcomes.h"
#include "proto/test_bundle.h"

using namespace vouch;

namespace {

json::Value changed(const Record& record, std::string_view key, json::Value value) {
  auto object = to_json(record);
  object.if_object()->insert_or_assign(std::string(key), std::move(value));
  return object;
}

json::Value without(const Record& record, std::string_view key) {
  auto object = to_json(record);
  REQUIRE(object.if_object()->erase(std::string(key)) == 1);
  return object;
}

Outcome judged(OutcomeKind kind, std::int64_t violations, std::int64_t waived) {
  Outcome outcome;
  outcome.check = "a.b";
  outcome.control = "a";
  outcome.outcome = kind;
  outcome.violations = violations;
  outcome.waived = waived;
  outcome.findings = violations == 0 ? std::string(kEmptyDigestHex) : test::digest_of("findings");
  return outcome;
}

}  // namespace

TEST_CASE("a record of each kind reads back as it was written", "[record]") {
  std::set<std::string_view> kinds;
  for (const auto& record : test::one_of_each()) {
    const auto value = to_json(record);
    CAPTURE(json::write(value));
    const auto read = parse_record(value);

    REQUIRE(read);
    CHECK(to_json(*read) == value);
    CHECK(*json::get_string(value, "kind") == kind_of(record));
    kinds.insert(kind_of(record));
  }
  CHECK(kinds.size() == std::variant_size_v<Record>);
}

TEST_CASE("no member of a record may be missing or of another type, but for the optional ones",
          "[record]") {
  const std::set<std::string_view> optional = {"expires", "cadence_days"};
  for (const auto& record : test::one_of_each()) {
    const auto value = to_json(record);
    for (const auto& [key, member] : *value.if_object()) {
      CAPTURE(json::write(value), key);
      const bool may_lack =
          optional.contains(key) || (key == "collector" && kind_of(record) == "run-failed");
      CHECK(parse_record(without(record, key)).has_value() == may_lack);
      CHECK_FALSE(parse_record(changed(record, key, json::Value())));
      CHECK_FALSE(parse_record(changed(record, key, json::Array{json::Array{}})));
      CHECK_FALSE(parse_record(
          changed(record, key, member.if_bool() ? json::Value("true") : json::Value(true))));
    }
    CHECK(parse_record(changed(record, "unknown", 1)));
    CHECK_FALSE(parse_record(changed(record, "kind", "unknown")));
  }
}

TEST_CASE("the members of a run must agree with each other", "[record]") {
  const Record run = test::observation(3);
  const Record failed = test::run_failed(3);
  REQUIRE(parse_record(to_json(run)));

  CHECK_FALSE(parse_record(changed(run, "run", "access_review/3+1")));
  CHECK_FALSE(parse_record(changed(run, "run", "backup_jobs/3")));
  CHECK_FALSE(parse_record(changed(run, "trigger", "manual")));
  CHECK_FALSE(parse_record(changed(run, "trigger", "whim")));
  CHECK_FALSE(parse_record(changed(run, "cause", "/etc/passwd")));
  CHECK_FALSE(
      parse_record(changed(run, "same_as", json::Object{{"seq", 1}, {"run", "access_review/2"}})));
  CHECK_FALSE(parse_record(changed(run, "policy", std::string(64, 'A'))));
  CHECK_FALSE(parse_record(changed(run, "started", "2026-11-21T19:30:00Z")));
  CHECK_FALSE(parse_record(changed(run, "now", "2026-11-21T19:30:00.000Z")));
  CHECK_FALSE(parse_record(changed(failed, "reason", "bored")));
  CHECK_FALSE(parse_record(changed(failed, "reason", "crash")));
  CHECK_FALSE(parse_record(changed(failed, "message", std::string(1025, 'm'))));
}

TEST_CASE("a table of a run has a digest or an error, never both", "[record]") {
  const auto with_tables = [](json::Value table) {
    return changed(test::observation(1), "tables", json::Array{std::move(table)});
  };
  const auto digest = test::digest_of("t");
  const auto error = json::Object{{"code", "timeout"}, {"message", ""}};
  REQUIRE(parse_record(with_tables(json::Object{{"name", "t"}, {"rows", 0}, {"sha256", digest}})));
  REQUIRE(parse_record(with_tables(json::Object{{"name", "t"}, {"error", error}})));

  CHECK_FALSE(parse_record(with_tables(json::Object{{"name", "t"}})));
  CHECK_FALSE(parse_record(
      with_tables(json::Object{{"name", "t"}, {"error", error}, {"rows", 0}, {"sha256", digest}})));
  CHECK_FALSE(parse_record(
      with_tables(json::Object{{"name", "t"}, {"error", error}, {"unchanged", true}})));
  CHECK_FALSE(parse_record(with_tables(
      json::Object{{"name", "t"}, {"rows", 0}, {"sha256", digest}, {"unchanged", false}})));
  CHECK_FALSE(parse_record(
      with_tables(json::Object{{"name", "t"}, {"rows", 1000001}, {"sha256", digest}})));
  CHECK_FALSE(parse_record(with_tables(
      json::Object{{"name", "t"}, {"error", json::Object{{"code", "sad"}, {"message", ""}}}})));
  const json::Value table = json::Object{{"name", "t"}, {"rows", 0}, {"sha256", digest}};
  CHECK_FALSE(parse_record(changed(test::observation(1), "tables", json::Array{table, table})));
  CHECK_FALSE(parse_record(changed(test::observation(1), "inputs", json::Array{table, table})));
}

TEST_CASE("ranges of ticks and of lost bundles do not run backwards", "[record]") {
  const Record missed = RunMissed{0, "a", {5, 4}, "overrun"};
  const Record dropped = SpoolDrop{0, 3, 2, {}, "root", ""};

  CHECK_FALSE(parse_record(to_json(missed)));
  CHECK_FALSE(parse_record(to_json(dropped)));
  CHECK_FALSE(parse_record(to_json(Record(RunMissed{0, "a", {4, 5}, "tired"}))));
}

TEST_CASE("the outcomes table of an unreadable check is the published one", "[record]") {
  Outcome outcome;
  outcome.check = "a.b";
  outcome.control = "a";
  outcome.message = "gaps: users";
  const auto blob = write_outcomes({outcome});

  REQUIRE(blob);
  CHECK(blob->bytes.size() == 130);
  CHECK(blob->sha256 == "4060df8975a930585a3f3b2b07562aa5a50e61ed6b5a1a5815d71ee588ed6696");
  const auto read = read_outcomes(blob->bytes);
  REQUIRE(read);
  CHECK(read->front() == outcome);
}

TEST_CASE("outcomes read back as they were written", "[record]") {
  auto waived = judged(OutcomeKind::waived, 2, 2);
  waived.check = "a.c";
  waived.waiver_ids = {"w-1", "w-2"};
  const std::vector<Outcome> outcomes = {judged(OutcomeKind::fail, 2, 1), waived};
  const auto blob = write_outcomes(outcomes);

  REQUIRE(blob);
  CHECK(*read_outcomes(blob->bytes) == outcomes);
  CHECK_FALSE(write_outcomes({outcomes[0], outcomes[0]}));
}

TEST_CASE("an outcome that contradicts its counts is refused", "[record]") {
  REQUIRE(check_outcome(judged(OutcomeKind::pass, 0, 0)));
  REQUIRE(check_outcome(judged(OutcomeKind::fail, 1, 0)));
  REQUIRE(check_outcome(judged(OutcomeKind::waived, 1, 1)));
  auto bad = judged(OutcomeKind::fail, 2, 1);

  SECTION("fail without violations") {
    bad = judged(OutcomeKind::fail, 0, 0);
  }
  SECTION("fail, all waived") {
    bad = judged(OutcomeKind::fail, 2, 2);
  }
  SECTION("pass with violations") {
    bad = judged(OutcomeKind::pass, 1, 0);
  }
  SECTION("waived with one left") {
    bad = judged(OutcomeKind::waived, 2, 1);
  }
  SECTION("waived without violations") {
    bad = judged(OutcomeKind::waived, 0, 0);
  }
  SECTION("more waived than violations") {
    bad = judged(OutcomeKind::waived, 1, 2);
  }
  SECTION("error with findings") {
    bad = judged(OutcomeKind::error, 0, 0);
  }
  SECTION("error with violations") {
    bad = judged(OutcomeKind::error, 1, 0);
    bad.findings.reset();
  }
  SECTION("not applicable with findings") {
    bad = judged(OutcomeKind::not_applicable, 0, 0);
  }
  SECTION("judged without findings") {
    bad.findings.reset();
  }
  SECTION("pass with rows") {
    bad = judged(OutcomeKind::pass, 0, 0);
    bad.findings = test::digest_of("findings");
  }
  SECTION("violations without rows") {
    bad.findings = std::string(kEmptyDigestHex);
  }
  SECTION("a digest that is none") {
    bad.findings = "x";
  }
  SECTION("waivers unsorted") {
    bad.waiver_ids = {"b", "a"};
  }
  SECTION("a waiver twice") {
    bad.waiver_ids = {"a", "a"};
  }
  SECTION("a long message") {
    bad.message = std::string(1025, 'm');
  }
  SECTION("no check") {
    bad.check.clear();
  }
  CHECK_FALSE(check_outcome(bad));
  CHECK_FALSE(write_outcomes({bad}));
}

TEST_CASE("a policy set is sorted by pack, each once", "[record]") {
  const auto a = test::digest_of("a");
  const auto text = write_policy_set({{"b", a}, {"a", a}});

  REQUIRE(text);
  CHECK(*text == a + "  a\n" + a + "  b\n");
  CHECK(parse_policy_set(*text)->size() == 2);
  CHECK_FALSE(write_policy_set({{"a", a}, {"a", a}}));
  const auto bad = GENERATE_COPY(as<std::string>{}, a + "  a", a + " a\n", a + "  a\r\n",
                                 a + "  b\n" + a + "  a\n", a + "   a\n", "x  a\n", "\n");
  CAPTURE(bad);
  CHECK_FALSE(parse_policy_set(bad));
}
