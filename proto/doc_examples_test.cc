// SPDX-License-Identifier: Apache-2.0
// The examples in docs/formats are read by the code that the pages describe, and are canonical
// where the code writes them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "proto/dsse.h"
#include "proto/manifest.h"
#include "proto/record.h"
#include "proto/schedule.h"
#include "proto/statement.h"
#include "source_dir.h"

using namespace vouch;

namespace {

// Name of the kind: text, of every block that begins with "```json example=KIND".
std::multimap<std::string, std::string> read_examples() {
  const std::string begin = "```json example=";
  std::multimap<std::string, std::string> examples;
  const auto folder = std::filesystem::path(VOUCH_SOURCE_DIR) / "docs/formats";
  for (const auto& page : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(page.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
      const auto line = text.find('\n', at);
      const auto end = text.find("\n```", line);
      REQUIRE(end != std::string::npos);
      const auto name = text.substr(at + begin.size(), line - at - begin.size());
      examples.emplace(name, text.substr(line + 1, end - line - 1));
    }
  }
  return examples;
}

}  // namespace

TEST_CASE("the examples of records in the documents are canonical and read back", "[docs]") {
  const auto examples = read_examples();
  CHECK(examples.count("record") >= 4);
  for (auto [at, end] = examples.equal_range("record"); at != end; ++at) {
    CAPTURE(at->second);
    const auto value = json::parse(at->second);
    REQUIRE(value);
    const auto record = parse_record(*value);
    REQUIRE(record);
    CHECK(json::write(to_json(*record)) == at->second);
  }
}

TEST_CASE("the example of a statement in the documents has the identity it says", "[docs]") {
  const auto examples = read_examples();
  REQUIRE(examples.count("statement") == 1);
  const auto statement = parse_statement(examples.find("statement")->second);

  REQUIRE(statement);
  const auto payload = write_statement(*statement);
  REQUIRE(payload);
  CHECK(payload->size() == 1657);
  CHECK(dsse::bundle_id({*payload, std::string(dsse::kPayloadType), "", ""}) ==
        "81bc7ee0f4de71c4ff76ba22af9d8c920a34b8a870adfecb3f843044849fc9ca");
}

TEST_CASE("the examples of manifest and schedule in the documents are valid", "[docs]") {
  const auto examples = read_examples();
  REQUIRE(examples.count("manifest") == 1);
  REQUIRE(examples.count("schedule-entry") == 1);

  CHECK(parse_manifest(examples.find("manifest")->second));
  CHECK(parse_schedule(json::Array{*json::parse(examples.find("schedule-entry")->second)}));
}
