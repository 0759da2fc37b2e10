// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/direct_runner.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {

TEST_CASE("a collector that was replaced since it was described does not run", "[runner]") {
  World world;
  std::ifstream file(world.directory + "/accounts");
  const std::string describe{std::istreambuf_iterator<char>(file), {}};
  const std::string answer = R"(
[ "$1" = --describe ] && exit 0
exec >&3
printf '{"table":"users"}\n{"table":"gaps"}\n'
printf '{"end":{"rows":{"users":0,"gaps":0},"unchanged":0,"errors":0}}\n'
)";
  // The description goes nowhere in a run.
  const std::string script =
      "#!/bin/sh\nexec 3>&1\n[ \"$1\" = --describe ] || exec >/dev/null\n" + describe + answer;
  world.write("accounts", script);
  const SystemClock clock;
  DirectRunner runner(clock);
  const auto collectors = load_collectors(world.config, runner, nullptr);
  REQUIRE(collectors);
  RunRequest request;
  request.run = "accounts/1";
  request.tables = {"users", "gaps"};
  request.deadline_ms = 30'000;
  const auto before = runner.run(collectors->at(0), request);
  REQUIRE(std::holds_alternative<Snapshot>(before.result));
  CHECK(before.collector.digest == sha256_hex(script));

  world.write("accounts", script + "# another\n");
  const auto after = runner.run(collectors->at(0), request);

  REQUIRE(std::holds_alternative<RunViolation>(after.result));
  CHECK_FALSE(after.was_started);
  CHECK_THAT(std::get<RunViolation>(after.result).message, Catch::Contains("replaced"));
}

}  // namespace vouch::agent
