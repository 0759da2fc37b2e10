// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/record_fit.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

TableRef table(const std::string& name, char digest) {
  TableRef ref;
  ref.name = name;
  ref.rows = 1;
  ref.sha256 = std::string(64, digest);
  return ref;
}

}  // namespace

TEST_CASE("a bundle holds so many blobs and so many bytes, its configuration beside them",
          "[fit]") {
  const auto limit = static_cast<std::int64_t>(kBundleBlobBytesMax - kOtherBytesMax);
  CHECK(fits_a_bundle({{"a", limit}}));
  CHECK_FALSE(fits_a_bundle({{"a", limit}, {"b", 1}}));

  BlobSizes many;
  for (std::size_t i = 0; i < kSubjectsMax - kOtherSubjectsMax; ++i) many[std::to_string(i)] = 1;
  CHECK(fits_a_bundle(many));
  many["one more"] = 1;
  CHECK_FALSE(fits_a_bundle(many));
}

TEST_CASE("inputs are left out before tables, the largest first, and columns never", "[fit]") {
  RunContent content;
  content.tables = {table("users", '1'), table("gaps", '2')};
  content.inputs = {table("columns", '3'), table("packages", '4'), table("previous_users", '5')};
  const BlobSizes sizes{{std::string(64, '1'), 50},
                        {std::string(64, '2'), 1},
                        {std::string(64, '3'), 99},
                        {std::string(64, '4'), 30},
                        {std::string(64, '5'), 40}};

  std::vector<std::string> left_out;
  while (leave_out_largest(content, sizes)) {
    for (const auto* list : {&content.inputs, &content.tables}) {
      for (const TableRef& ref : *list) {
        const bool seen = std::find(left_out.begin(), left_out.end(), ref.name) != left_out.end();
        if (ref.error && !seen) left_out.push_back(ref.name);
      }
    }
  }

  CHECK(left_out == std::vector<std::string>{"previous_users", "packages", "users", "gaps"});
  CHECK(content.inputs[1].error->code == "too-large");
  CHECK(content.inputs[1].sha256.empty());
  CHECK(content.inputs[1].rows == 0);
  CHECK_FALSE(content.inputs[0].error);
}

TEST_CASE("an input that does not fit is too-large for the checks that read it, for no other",
          "[fit]") {
  World world;
  world.write("pack.yaml", R"(pack: test.accounts
title: Accounts
controls:
  - id: one
    title: Accounts are as they should be
    owner: it
    frequency_s: 86400
    checks:
      - id: one.previous
        title: No account is new
        severity: low
        rationale: None is expected
        remediation: Remove it
        tables: [users, previous_users]
        sql: SELECT username FROM users EXCEPT SELECT username FROM previous_users
      - id: one.users
        title: Bob has no account
        severity: low
        rationale: He left
        remediation: Remove it
        tables: [users]
        sql: SELECT username FROM users WHERE username = 'bob'
)");
  auto collectors = load_collectors(world.config, world.runner, nullptr);
  REQUIRE(collectors);
  auto judge = RunJudge::make(policy::load_pack_set(world.config.packs).value(), *collectors, {});
  REQUIRE(judge);
  const std::string now_rows = "{\"username\":\"root\"}\n";
  const std::string rows_before = "{\"username\":\"eve\"}\n{\"username\":\"root\"}\n";
  std::vector<TableRef> tables{table("users", '1'), table("gaps", '2')};
  tables[0].sha256 = sha256_hex(now_rows);
  tables[1].sha256 = kEmptyDigestHex;
  History history;
  history.before.emplace();
  history.before->tables = {table("users", '5')};
  history.before->tables[0].sha256 = sha256_hex(rows_before);
  BlobSource source;
  source.read = [&](std::string_view sha256) -> Result<std::string> {
    return sha256 == sha256_hex(now_rows) ? now_rows : rows_before;
  };
  source.size = [&](std::string_view sha256) -> Result<std::int64_t> {
    return sha256 == sha256_hex(now_rows) ? 20 : static_cast<std::int64_t>(kBundleBlobBytesMax);
  };

  const auto judged = judge->judge(collectors->at(0), {"accounts", "1", std::string(64, 'a')},
                                   1790000000, tables, history, source);

  REQUIRE(judged);
  for (const TableRef& input : judged->content.inputs) {
    if (input.name == "previous_users") CHECK(input.error->code == "too-large");
  }
  const auto outcomes = read_outcomes(judged->blobs.at(judged->content.outcomes.sha256)).value();
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].outcome == OutcomeKind::error);
  CHECK(outcomes[0].message == "missing: previous_users (too-large)");
  CHECK(outcomes[1].outcome == OutcomeKind::pass);
}

TEST_CASE("a run that no bundle holds is sealed as failed, and the seals go on", "[fit][sealer]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->seal());
  world.clock.advance(310'000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  auto& ledger = agent->state().ledger;
  const auto users = agent->state().waiting.collector("accounts").value().content->tables[0].sha256;
  const std::string of_users = " WHERE sha256 = '" + users + "'";
  REQUIRE(ledger.database().execute("UPDATE blobs SET bytes = 600000000" + of_users));

  REQUIRE(agent->seal());
  REQUIRE(ledger.database().execute("UPDATE blobs SET bytes = 19" + of_users));
  world.clock.advance(3000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto failed = of_kind<RunFailed>(records);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].reason == "output-too-large");
  CHECK(of_kind<Observation>(records).size() == 1);
}

}  // namespace vouch::agent
