// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/declarations.h"

#include <catch2/catch.hpp>

namespace vouch::http_json {
namespace {

Result<std::vector<std::unique_ptr<const SourceSpec>>> read(const std::string& text) {
  auto node = yaml::parse(text, "f.yaml");
  INFO((node ? "" : node.error().message));
  REQUIRE(node);
  return read_sources({"f.yaml", *std::move(node)});
}

constexpr const char* kServer = "servers: { api: { url: https://api.test/v1/ } }\n";
constexpr const char* kColumns = "columns: [{ name: id, key: true }]";

}  // namespace

TEST_CASE("servers and sources are declared", "[http_json]") {
  const auto sources = read(
      "servers:\n  api:\n    url: https://API.test/v1/\n    headers: [\"Accept: x/y\"]\n"
      "    credential: token\n    credential_header: \"Authorization: SSWS\"\n"
      "    ca_file: /etc/ca.pem\n    pin: sha256//"
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
      "sources:\n  - table: users\n    server: api\n    path: /users\n    query: [limit=200]\n"
      "    pages: link\n    columns: [{ name: id, key: true, from: /profile/login }]\n");

  REQUIRE(sources);
  const SourceSpec& source = *sources->front();
  CHECK(source.server->url == "https://API.test/v1");
  CHECK(source.server->origin == "https://api.test:443");
  CHECK(source.server->credential == "token");
  CHECK(source.paging == Paging::link);
  CHECK(source.query == std::vector<std::string>{"limit=200"});
}

TEST_CASE("a server that cannot be is refused with its place", "[http_json]") {
  const auto [keys, message] = GENERATE(table<std::string, std::string>({
      {"url: http://api.test", "without TLS"},
      {"url: http://127.0.0.1.evil.test", "without TLS"},
      {"url: https://user:pw@api.test", "user or password"},
      {"url: \"https://api.test/?key=x\"", "named by query"},
      {"url: ftp://api.test", "no http or https"},
      {"headers: [\"Accept: x\"]", "url: no URL"},
      {"url: https://api.test, headers: [\"Authorization: Bearer x\"]", "named by credential"},
      {"url: https://api.test, headers: [\"X-Api-Key: x\"]", "named by credential"},
      {"url: https://api.test, headers: [nonsense]", "Name: value"},
      {"url: https://api.test, pin: abc", "sha256//"},
      {"url: https://api.test, ca_file: ca.pem", "absolute path"},
      {"url: https://api.test, token: x", "unknown key \"token\""},
  }));
  CAPTURE(keys);

  const auto sources =
      read("servers:\n  api: { " + keys +
           " }\nsources:\n  - { table: t, server: " + "api, path: /t, " + kColumns + " }\n");

  REQUIRE_FALSE(sources);
  CHECK_THAT(sources.error().message, Catch::StartsWith("f.yaml:2:"));
  CHECK_THAT(sources.error().message, Catch::Contains(message));
}

TEST_CASE("a source that cannot be is refused with its place", "[http_json]") {
  const auto [keys, message] = GENERATE(table<std::string, std::string>({
      {"table: t, server: other, path: /t", "one of servers"},
      {"table: t, server: api", "needs table, server, path"},
      {"table: t, server: api, path: t", "a path"},
      {"table: t, server: api, path: /../t", "a path"},
      {"table: t, server: api, path: \"/t?x=1\"", "a path"},
      {"table: t, server: api, path: \"/t/{id}\"", "{id} is no column"},
      {"table: t, server: api, path: /t, each: u", "no source before"},
      {"table: t, server: api, path: /t, query: [token=x]", "named by credential"},
      {"table: t, server: api, path: /t, rows: data", "no JSON pointer"},
      {"table: t, server: api, path: /t, pages: endless", "none, link"},
      {"table: t, server: api, path: /t, pages: cursor, parameter: c", "cursor: a pointer"},
      {"table: t, server: api, path: /t, pages: link, cursor: /c", "cursor: a pointer"},
      {"table: t, server: api, path: /t, pages: number", "parameter: for pages"},
      {"table: t, server: api, path: /t, pages_max: 0", "between 1 and 10000"},
      {"table: t, server: api, path: /t, absent: [{ at: /m }]", "an absence has"},
      {"table: t, server: api, path: /t, absent: [{ status: 404, at: /m }]", "an absence has"},
      {"table: t, server: api, path: /t, absent: [{ status: 200 }]", "between 400 and 499"},
  }));
  CAPTURE(keys);

  const auto sources =
      read(std::string(kServer) + "sources:\n  - { " + keys + ", " + kColumns + " }\n");

  REQUIRE_FALSE(sources);
  CHECK_THAT(sources.error().message, Catch::StartsWith("f.yaml:3:"));
  CHECK_THAT(sources.error().message, Catch::Contains(message));
}

TEST_CASE("a column from the source before has its type", "[http_json]") {
  const std::string first =
      std::string(kServer) +
      "sources:\n  - { table: a, server: api, path: /a, columns: [{ name: id, "
      "type: integer, key: true }] }\n";
  const auto second = [](const std::string& column) {
    return "  - { table: b, server: api, path: \"/a/{id}\", each: a, columns: [" + column + "] }\n";
  };

  const auto good = read(first + second("{ name: of, type: integer, key: true, from: \"{id}\" }"));
  REQUIRE(good);
  CHECK((*good)[1]->inherited.at(0) == 0u);
  CHECK((*good)[1]->parent == (*good)[0].get());
  CHECK_FALSE(read(first + second("{ name: of, key: true, from: \"{id}\" }")));
  CHECK_FALSE(read(first + second("{ name: of, type: integer, key: true, from: \"{no}\" }")));
}

}  // namespace vouch::http_json
