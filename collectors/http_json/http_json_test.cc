// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/http_json.h"

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"

namespace vouch::http_json {
namespace {

using Catch::Contains;

std::string file(const std::string& server) {
  return "servers: { api: { url: https://127.0.0.1:1" + server +
         " } }\nsources:\n  - { table: users, server: api, path: /users, query: [filter=2fa], "
         "columns: [{ name: id, key: true }] }\n";
}

}  // namespace

TEST_CASE("what is asked of whom is on record, without any answer", "[http_json]") {
  sdk::TestTree tree;
  tree.file("/http.yaml", file(""));

  const auto answer = sdk::run_collector(make_http_json(), "/",
                                         {.options = {{"file", tree.path() + "/http.yaml"}}});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("http_sources", "table_name", "users", "url") == "https://127.0.0.1:1/users");
  CHECK(answer.cell("http_sources", "table_name", "users", "query") == "filter=2fa");
  CHECK(answer.cell("http_sources", "table_name", "users", "authenticated") == "false");
  CHECK_THAT(answer.errors.at("users"), Contains("https://127.0.0.1:1/users, page 1: "));
}

TEST_CASE("a credential that others can read is not used", "[http_json]") {
  sdk::TestTree tree;
  tree.file("/token", "hunter2hunter2\n", 0644);
  tree.file("/http.yaml", file(", credential: " + tree.path() + "/token"));

  const auto answer = sdk::run_collector(make_http_json(), "/",
                                         {.options = {{"file", tree.path() + "/http.yaml"}}});

  CHECK_THAT(answer.errors.at("users"), Catch::StartsWith("permission-denied: the credential"));
  CHECK(answer.raw.find("hunter2") == std::string::npos);
}

TEST_CASE("an API is no part of an image", "[http_json]") {
  sdk::TestTree tree;
  tree.file("/http.yaml", file(""));
  const sdk::TestTree image;

  const auto answer = sdk::run_collector(make_http_json(), image.path(),
                                         {.options = {{"file", tree.path() + "/http.yaml"}}});

  CHECK_THAT(answer.errors.at("users"), Catch::StartsWith("not-supported"));
}

}  // namespace vouch::http_json
