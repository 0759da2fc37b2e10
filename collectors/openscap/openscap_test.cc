// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/openscap.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"
#include "core/digest.h"

namespace vouch::openscap {
namespace {

using Catch::Contains;

const std::string kResults =
    "<TestResult xmlns=\"http://checklists.nist.gov/xccdf/1.2\" start-time=\"2026-11-27T15:57:51\" "
    "end-time=\"2026-11-27T16:57:51+01:00\"><benchmark id=\"b\"/><rule-result idref=\"r1\">"
    "<result>fail</result></rule-result><rule-result idref=\"r1\"><result>pass</result>"
    "</rule-result></TestResult>";

}  // namespace

TEST_CASE("a file of results is read, in an image too", "[openscap]") {
  sdk::TestTree image;
  image.file("/var/lib/scap/results.xml", kResults);

  const auto answer = sdk::run_collector(make_openscap(), image.path(),
                                         {.options = {{"results", "/var/lib/scap/results.xml"}}});

  CHECK(answer.violation.empty());
  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("openscap_results").size() == 2);
  CHECK(answer.cell("openscap_results", "result", "pass", "occurrence") == "2");
  CHECK(answer.cell("openscap_results", "result", "fail", "title") == "null");
  CHECK(answer.cell("openscap_runs", "benchmark", "b", "results_sha256") == sha256_hex(kResults));
  CHECK(answer.cell("openscap_runs", "benchmark", "b", "finished") == "2026-11-27T15:57:51Z");
  CHECK(answer.cell("openscap_runs", "benchmark", "b", "started") == "null");
  CHECK(answer.cell("openscap_runs", "benchmark", "b", "data_stream_sha256") == "null");
}

TEST_CASE("what cannot be evaluated or read is an error with the reason", "[openscap]") {
  sdk::TestTree image;
  image.file("/cut.xml", kResults.substr(0, 150)).fifo("/fifo").directory("/dir");
  const auto error = [&](json::Object options) {
    const auto answer = sdk::run_collector(make_openscap(), image.path(), {.options = options});
    CHECK(answer.errors.count("openscap_runs") == 1);
    return answer.errors.at("openscap_results");
  };

  CHECK_THAT(error({}), Catch::StartsWith("not-found: name a data_stream"));
  CHECK_THAT(error({{"results", "/none.xml"}}), Catch::StartsWith("not-found"));
  CHECK_THAT(error({{"results", "/cut.xml"}}),
             Catch::StartsWith("parse-error: /cut.xml: the file"));
  CHECK_THAT(error({{"results", "cut.xml"}}), Contains("absolute"));
  CHECK_THAT(error({{"results", "/fifo"}}), Contains("/fifo"));
  CHECK_THAT(error({{"results", "/dir"}}), Contains("/dir"));
  CHECK_THAT(error({{"data_stream", "/ds.xml"}}),
             Catch::StartsWith("not-supported: oscap is not run"));
  CHECK_THAT(error({{"data_stream", "/ds.xml"}, {"results", "/cut.xml"}}),
             Contains("name a data_stream to evaluate, or"));
}

TEST_CASE("a data stream that others could write is not evaluated", "[openscap]") {
  sdk::TestTree tree;
  tree.file("/ds.xml", "<x/>").directory("/cache");
  REQUIRE(::chmod((tree.path() + "/ds.xml").c_str(), 0666) == 0);

  const auto answer = sdk::run_collector(
      make_openscap(), "/",
      {.options = {{"data_stream", tree.path() + "/ds.xml"}}, .cache_dir = tree.path() + "/cache"});

  CHECK_THAT(answer.errors.at("openscap_results"), Catch::StartsWith("permission-denied"));
}

}  // namespace vouch::openscap
