// SPDX-License-Identifier: Apache-2.0
// `vouch verify` as its user meets it: a store's directory on disk, the printed answer, the exit
// status.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/cli/command.h"
#include "proto/verify/store_fixture_test.h"

namespace vouch::cli {
namespace {

// A store's directory with a policy file beside it, gone at the end.
class OnDisk {
 public:
  explicit OnDisk(verify::StoreFixture& store) {
    store.publish();
    std::string path = (std::filesystem::temp_directory_path() / "verify-command-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
    for (const auto& [name, bytes] : store.files.files) write("store/" + name, bytes);
    write("policy", store.store_policy);
  }
  ~OnDisk() { std::filesystem::remove_all(path_); }
  OnDisk(const OnDisk&) = delete;
  OnDisk& operator=(const OnDisk&) = delete;

  void write(const std::string& name, const std::string& bytes) const {
    const auto file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Ran {
  int code = 0;
  std::string out;
};

Ran verify_command(const OnDisk& disk, std::vector<std::string> more) {
  std::vector<std::string> words{"verify", disk.at("store"), "--policy", disk.at("policy")};
  words.insert(words.end(), more.begin(), more.end());
  std::ostringstream out;
  std::ostringstream err;
  Output output{out, err, {100, false}};
  const int code = run_vouch(words, output);
  INFO(err.str());
  CHECK(err.str().empty());
  return {code, out.str()};
}

}  // namespace

TEST_CASE("the exit status of verify tells verified, failed and another engine apart", "[verify]") {
  verify::StoreFixture store;  // Its outcomes were recorded by an engine that there never was.
  store.seal();
  const OnDisk disk(store);

  CHECK(verify_command(disk, {}).code == kExitPass);
  const auto replayed = verify_command(disk, {"--replay"});
  CHECK(replayed.code == kExitNotJudged);
  CHECK_THAT(replayed.out, Catch::Contains("NOT REPLAYED UNDER THE SAME ENGINE"));
  disk.write("store/checkpoint", "x");
  CHECK(verify_command(disk, {"--replay"}).code == kExitFail);
}

TEST_CASE("roots that are none are refused before anything is verified", "[verify]") {
  verify::StoreFixture store;
  const OnDisk disk(store);
  const std::vector<std::string> words{"verify", disk.at("store"), "--tsa-ca", disk.at("policy")};
  std::ostringstream out;
  std::ostringstream err;
  Output output{out, err, {100, false}};

  CHECK(run_vouch(words, output) == kExitData);
  CHECK_THAT(err.str(), Catch::Contains("policy: no \"BEGIN CERTIFICATE\" block"));
  CHECK(out.str().empty());
}

TEST_CASE("the judgements of the period are printed, and are in the JSON form", "[verify]") {
  verify::StoreFixture store;
  store.pack =
      "pack: linux\ncontrols:\n  - { id: a, title: t, frequency_s: 600, checks: [ { id: a.fails, "
      "title: t, severity: low, rationale: r, remediation: r, tables: [users], sql: SELECT uid "
      "FROM users } ] }\n";
  for (int i = 0; i < 3; ++i) store.seal();
  const OnDisk disk(store);

  const auto whole = verify_command(disk, {"--replay"});
  CHECK_THAT(whole.out, Catch::Contains("1 of 1 controls operated over what each chain"));
  const auto longer = verify_command(
      disk, {"--replay", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T01:00:00Z"});
  CHECK_THAT(longer.out,
             Catch::Contains("0 of 1 controls operated over 2026-01-01T00:00Z…2026-01-01T01:00Z"));
  CHECK_THAT(longer.out, Catch::Contains("NO") && Catch::Contains("3/6"));

  const auto json = verify_command(disk, {"--replay", "--format", "json"});
  const auto value = json::parse(json.out);
  REQUIRE(value);
  const auto* judgements = value->find("judgements");
  REQUIRE(judgements != nullptr);
  const auto& control = judgements->find("controls")->if_array()->front();
  CHECK(*json::get_integer(control, "required") == 3);
  CHECK(*json::get_integer(control, "judged") == 3);
}

}  // namespace vouch::cli
