// SPDX-License-Identifier: Apache-2.0
// The commands as a user runs them, over a collector that is a script and packs in a directory.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/cli/command.h"
#include "core/json.h"

namespace vouch::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest =
    R"({"protocol":1,"name":"toy","version":"1","title":"Toy","interval_s":3600,"deadline_s":10,)"
    R"("options":{},"needs":{"network":false,"cache_dir":false},"tables":[)"
    R"({"name":"toys","title":"t","key":["name"],"volatile":false,"needs":{"capabilities":[]},)"
    R"("columns":[{"name":"name","type":"text","title":"n"},{"name":"size","type":"integer","title":"s"}]},)"
    R"({"name":"boxes","title":"t","key":["name"],"volatile":false,"needs":{"capabilities":[]},)"
    R"("columns":[{"name":"name","type":"text","title":"n"}]}]})";

constexpr std::string_view kPack = R"(pack: toy
controls:
  - id: small
    title: Toys are small
    frequency_s: 3600
    checks:
      - id: small.size
        title: No toy is over the limit
        ref: CD-001
        severity: high
        rationale: Big toys hurt
        tables: [toys]
        params: { most: 5 }
        sql: SELECT name, size FROM toys WHERE size > :most
        remediation: Saw it up.
      - id: small.boxes
        title: There is a box
        severity: low
        rationale: Toys are put away
        tables: [boxes]
        sql: SELECT 'box' AS missing WHERE NOT EXISTS (SELECT 1 FROM boxes)
        remediation: Buy one.
)";

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

// A directory with a configuration, a collector and a pack. `script` prints the run.
class Toy {
 public:
  explicit Toy(const std::string& script) {
    std::string pattern = (fs::temp_directory_path() / "vouch-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    write("toy",
          "#!/bin/sh\nif [ \"$1\" = --describe ]; then\ncat <<'EOM'\n" + std::string(kManifest) +
              "\nEOM\nexit 0\nfi\nread request\n" + script,
          0755);
    write("toy.yaml", std::string(kPack));
    write("vouchd.yaml", "state_dir: " + pattern + "/state\nruntime_dir: " + pattern +
                             "/run\npacks: [" + pattern + "/toy.yaml]\nwaivers: " + pattern +
                             "/waivers.yaml\ncollectors:\n  toy:\n    program: " + pattern +
                             "/toy\n");
    write("waivers.yaml", "waivers: []\n");
  }
  ~Toy() { fs::remove_all(directory_); }
  Toy(const Toy&) = delete;
  Toy& operator=(const Toy&) = delete;

  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream(directory_ / name) << text;
    ::chmod((directory_ / name).c_str(), mode);
  }

  [[nodiscard]] Ran run(std::vector<std::string> words,
                        const TerminalStyle& style = {100, false}) const {
    words.insert(words.end(), {"--config", (directory_ / "vouchd.yaml").string()});
    std::ostringstream out;
    std::ostringstream err;
    Output output{out, err, style};
    const int code = run_vouch(words, output);
    return {code, out.str(), err.str()};
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

 private:
  fs::path directory_;
};

const std::string kGood = R"(cat <<'EOM'
{"table":"toys"}
{"row":{"name":"ball","size":9}}
{"row":{"name":"die","size":1}}
{"table":"boxes"}
{"row":{"name":"chest"}}
{"table":"gaps"}
{"end":{"rows":{"toys":2,"boxes":1,"gaps":0},"unchanged":0,"errors":0}}
EOM
)";

// What answers only the tables that a request names: a request is one line of JSON.
const std::string kOnlyToys = R"(cat <<'EOM'
{"table":"toys"}
{"row":{"name":"ball","size":9}}
{"table":"gaps"}
{"row":{"table_name":"toys","object":"attic","code":"permission-denied","message":"locked"}}
{"end":{"rows":{"toys":1,"gaps":1},"unchanged":0,"errors":0}}
EOM
)";

}  // namespace

TEST_CASE("check prints the violating rows and exits 1", "[live]") {
  const Toy toy(kGood);

  const auto ran = toy.run({"check"});

  CHECK(ran.code == kExitFail);
  CHECK_THAT(ran.out, Catch::Contains("small.size (CD-001): No toy is over the limit\n"
                                      "  name  size\n  ball  9\n  To do: Saw it up.\n"));
  CHECK_THAT(ran.out, Catch::Contains("FAIL  2 checks: 1 pass, 1 fail, 0 could not be judged"));
}

TEST_CASE("in colour, no escape sequence is printed as text", "[live]") {
  const auto ran = Toy(kGood).run({"check"}, {100, true});

  CHECK_THAT(ran.out, Catch::Contains("\x1b[31m"));
  CHECK_THAT(ran.out, !Catch::Contains("\\x1b"));
}

TEST_CASE("a root that is not there is told at once", "[live]") {
  using Words = std::vector<std::string>;
  auto words =
      GENERATE(as<Words>{}, Words{"check"}, Words{"collect", "toy"}, Words{"query", "SELECT 1"});
  CAPTURE(words);
  words.insert(words.end(), {"--root", "/nowhere/at/all"});

  const auto ran = Toy(kGood).run(words);

  CHECK(ran.code == kExitNoInput);
  CHECK(ran.err == "vouch: --root /nowhere/at/all: there is no such directory\n");
}

TEST_CASE("check as JSON carries the row of the catalogue and the findings", "[live]") {
  const Toy toy(kGood);

  const auto ran = toy.run({"check", "--format", "json"});

  auto value = json::parse(ran.out);
  REQUIRE(value);
  CHECK(*value->find("verdict")->if_string() == "fail");
  const auto& outcome = value->find("outcomes")->if_array()->at(1);
  CHECK(*outcome.find("ref")->if_string() == "CD-001");
  CHECK(json::write(*outcome.find("rows")) == R"([{"name":"ball","size":9}])");
}

TEST_CASE("a waiver covers its row, is counted, and is only claimed", "[live]") {
  const Toy toy(kGood);
  toy.write("waivers.yaml", R"(waivers:
  - { id: W-1, check: small.size, match: { name: ball }, owner: it, reason: r, approved_by: jones, valid_from: 2020-01-01T00:00:00Z, valid_until: 2099-01-01T00:00:00Z }
)");

  const auto ran = toy.run({"check"});

  CHECK(ran.code == kExitPass);
  CHECK_THAT(ran.out, Catch::Contains("1 waived") && Catch::Contains("claimed"));
}

TEST_CASE("a collector that breaks the protocol leaves its checks without a judgement", "[live]") {
  const auto script =
      GENERATE(as<std::string>{}, "exit 3\n", "echo '{\"table\":\"toys\"}'\n", "echo x\n");
  const Toy toy(script);

  const auto ran = toy.run({"check"});

  CHECK(ran.code == kExitNotJudged);
  CHECK_THAT(ran.out, Catch::Contains("! collector toy failed: ") &&
                          Catch::Contains("missing: toys (tool-failed)") &&
                          Catch::Contains("COULD NOT JUDGE"));
}

TEST_CASE("a check that no collector can serve is counted, not passed over", "[live]") {
  const Toy toy(kGood);
  toy.write(
      "toy.yaml",
      std::string(kPack) +
          R"(  - { id: c, title: t, frequency_s: 60, checks: [ { id: c.x, title: t, severity: low, rationale: r, remediation: r, tables: [nobody], sql: SELECT 1 FROM nobody } ] }
)");

  const auto ran = toy.run({"check", "c", "small.boxes"});

  CHECK(ran.code == kExitNotJudged);
}

TEST_CASE("query reads only what the SQL names, and tells of gaps", "[live]") {
  const Toy toy(kOnlyToys);

  const auto ran = toy.run({"query", "SELECT size, name FROM toys"});

  CHECK(ran.code == kExitNotJudged);
  CHECK(ran.out == "size  name\n9     ball\n");
  CHECK_THAT(ran.err, Catch::Contains("table toys has a gap: attic: locked"));
  CHECK_THAT(toy.run({"query", "DELETE FROM toys"}).err, Catch::Contains("writing is not allowed"));
  CHECK_THAT(toy.run({"query", "SELECT * FROM trolls"}).err,
             Catch::Contains("no such table: trolls; `vouch query --tables` lists them"));
  CHECK_THAT(toy.run({"query", "--tables"}).out, Catch::Contains("name text, size integer"));
}

TEST_CASE("collect prints the tables, and says which it could not read", "[live]") {
  const Toy toy(R"(cat <<'EOM'
{"error":{"table":"boxes","code":"permission-denied","message":"no key"}}
{"table":"toys"}
{"row":{"name":"ball","size":9}}
{"table":"gaps"}
{"end":{"rows":{"toys":1,"gaps":0},"unchanged":0,"errors":1}}
EOM
)");

  const auto ran = toy.run({"collect", "toy"});
  const auto parsed = json::parse(toy.run({"collect", "toy", "--format", "json"}).out);

  CHECK(ran.code == kExitNotJudged);
  CHECK_THAT(ran.out, Catch::Contains("toys  1 rows") && Catch::Contains("ball  9"));
  CHECK_THAT(ran.err, Catch::Contains("table boxes could not be read: permission-denied: no key"));
  REQUIRE(parsed);
  CHECK(parsed->find("errors")->find("boxes") != nullptr);
  CHECK_THAT(toy.run({"collect", "troll"}).err,
             Catch::Contains("no collector \"troll\"; there are toy"));
  CHECK_THAT(toy.run({"collect", "toy", "--table", "x"}).err,
             Catch::Contains("there are toys, boxes"));
}

TEST_CASE("collectors prints what a collector says of itself", "[live]") {
  const Toy toy(kGood);

  CHECK_THAT(toy.run({"collectors"}).out, Catch::Contains("toy"));
  const auto page = toy.run({"collectors", "toy"}).out;
  CHECK_THAT(page, Catch::StartsWith("# toy\n"));
  CHECK_THAT(page, Catch::Contains("## toys\n") && Catch::Contains("| `size` | integer |"));
  CHECK_THAT(page, Catch::Contains("key"));
  const auto parsed = json::parse(toy.run({"collectors", "toy", "--format", "json"}).out);
  REQUIRE(parsed);
  CHECK(parsed->find("manifest")->find("tables") != nullptr);
  CHECK_THAT(toy.run({"collectors", "troll"}).err, Catch::Contains("no collector \"troll\""));
}

TEST_CASE("explain finds a check by id or row, and offers those alike", "[live]") {
  const Toy toy(kGood);

  CHECK_THAT(toy.run({"explain", "small.size"}).out,
             Catch::Contains("SELECT name, size FROM toys") && Catch::Contains(":most = 5"));
  CHECK(toy.run({"explain", "CD-001"}).out == toy.run({"explain", "small.size"}).out);
  CHECK_THAT(toy.run({"explain", "small"}).err,
             Catch::Contains("there are small.boxes, small.size"));
  const auto parsed = json::parse(toy.run({"explain", "small.size", "--format", "json"}).out);
  REQUIRE(parsed);
  CHECK(*parsed->find("ref")->if_string() == "CD-001");
}

TEST_CASE("config check names the line that is wrong and exits 78", "[live]") {
  const Toy toy(kGood);
  CHECK(toy.run({"config", "check"}).code == kExitPass);

  toy.write("toy.yaml", "pack: toy\ncontrol: []\n");
  const auto pack = toy.run({"config", "check"});
  CHECK(pack.code == kExitConfig);
  CHECK_THAT(pack.err, Catch::Contains("toy.yaml:2:1: unknown key \"control\""));

  toy.write("toy.yaml", std::string(kPack));
  toy.write("waivers.yaml", R"(waivers:
  - { id: W-1, check: nobody.knows, match: {}, owner: it, reason: r, approved_by: jones, valid_from: 2020-01-01T00:00:00Z, valid_until: 2099-01-01T00:00:00Z }
)");
  CHECK_THAT(toy.run({"config", "check"}).err, Catch::Contains("which no pack has"));

  toy.write("vouchd.yaml", "packs: [" + toy.path("toy.yaml") +
                               "]\ncollectors:\n  toy: { program: /nowhere/toy }\n");
  const auto missing = toy.run({"config", "check"});
  CHECK(missing.code == kExitConfig);
  CHECK_THAT(missing.err, Catch::Contains("vouchd.yaml: collector toy: resolve /nowhere/toy"));

  toy.write("vouchd.yaml", "colectors: []\n");
  const auto config = toy.run({"config", "check"});
  CHECK(config.code == kExitConfig);
  CHECK_THAT(config.err, Catch::Contains("vouchd.yaml:1:1") && Catch::Contains("colectors"));
}

TEST_CASE("policy test reports places, and exits 65 for what is no pack", "[live]") {
  const Toy toy(kGood);
  toy.write("tables.yaml",
            "tables:\n  - { table: toys, collector: toy, key: [name], columns: { name: text, size: "
            "integer } }\n"
            "  - { table: boxes, collector: toy, key: [name], columns: { name: text } }\n");

  const auto untested =
      toy.run({"policy", "test", toy.path("toy.yaml"), "--tables", toy.path("tables.yaml")});
  const auto broken =
      toy.run({"policy", "test", toy.path("tables.yaml"), "--tables", toy.path("tables.yaml")});

  fs::create_directory(toy.path("empty"));
  const auto empty =
      toy.run({"policy", "test", toy.path("empty"), "--tables", toy.path("tables.yaml")});
  CHECK(empty.code == kExitNoInput);
  CHECK_THAT(empty.err, Catch::Contains("no pack with a check in"));
  CHECK(untested.code == kExitFail);
  CHECK_THAT(untested.out, Catch::Contains("toy.yaml:7:9: small.size: no test expects a pass"));
  CHECK(broken.code == kExitData);
  CHECK_THAT(broken.err, Catch::Contains("tables.yaml:1:1: unknown key \"tables\""));
}

TEST_CASE("a join string is taken from no argument, and from no file that others can read",
          "[live]") {
  const Toy toy(kGood);
  toy.write("join", "vouch://store.example.com/#nothing\n", 0644);

  const auto argument = toy.run({"enroll", "vouch://store.example.com/#secret"});
  const auto open_file = toy.run({"enroll", toy.path("join")});
  toy.write("join", "vouch://store.example.com/#nothing\n", 0600);
  const auto malformed = toy.run({"enroll", toy.path("join")});

  CHECK(argument.code == kExitDenied);
  CHECK_THAT(argument.err, Catch::Contains("never an argument") && !Catch::Contains("#secret"));
  CHECK(open_file.code == kExitDenied);
  CHECK_THAT(open_file.err, Catch::Contains("chmod 600"));
  CHECK(malformed.code == kExitData);
  CHECK_THAT(malformed.err, !Catch::Contains("nothing"));
}

TEST_CASE("status says what to do where no daemon answers", "[live]") {
  const Toy toy(kGood);

  const auto ran = toy.run({"status"});

  CHECK(ran.code == kExitUnavailable);
  CHECK_THAT(ran.err, Catch::Contains("no vouchd answers at") && Catch::Contains("start it"));
}

}  // namespace vouch::cli
