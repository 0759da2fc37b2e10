// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/pages.h"

#include <catch2/catch.hpp>

#include "collectors/http_json/fake_web_test.h"
#include "collectors/http_json/sources.h"

namespace vouch::http_json {
namespace {

using Catch::Contains;
using List = std::vector<std::string>;

// The sources of a file with one server, https://api.test.
std::vector<std::unique_ptr<const SourceSpec>> sources_of(const std::string& sources) {
  auto node =
      yaml::parse("servers: { api: { url: https://api.test } }\nsources:\n" + sources, "f.yaml");
  REQUIRE(node);
  auto read = read_sources({"f.yaml", *std::move(node)});
  INFO((read ? "" : read.error().message));
  REQUIRE(read);
  return *std::move(read);
}

std::string users(const std::string& keys) {
  return "  - { table: users, server: api, path: /users, " + keys +
         ", columns: [{ name: id, type: integer, key: true }] }\n";
}

struct Got {
  List ids;
  List gaps;
  std::string error;
};

Got collect(FakeWeb& web, const std::string& sources, std::size_t which = 0) {
  const auto list = sources_of(sources);
  Sources all(web);
  const Collected& collected = all.collect(*list[which]);
  Got got;
  for (const auto& row : collected.rows) {
    got.ids.push_back(std::to_string(std::get<std::int64_t>(row[0])));
  }
  for (const auto& [object, error] : collected.gaps)
    got.gaps.push_back(object + ": " + error.message);
  if (collected.error) {
    got.error = std::string(to_string(collected.error->code)) + ": " + collected.error->message;
  }
  return got;
}

const std::string kUsers = "https://api.test/users";

}  // namespace

TEST_CASE("pages are followed by the Link header", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1}])", {{"link", "<?page=2>; rel=\"next\""}});
  web.answer(kUsers + "?page=2", 200, "[]", {{"link", "</users?page=3>; rel=\"next\""}});
  web.answer(kUsers + "?page=3", 200, R"([{"id":3}])", {{"link", "</users>; rel=\"first\""}});

  const auto got = collect(web, users("pages: link"));

  CHECK(got.error.empty());
  CHECK(got.ids == List{"1", "3"});
}

TEST_CASE("pages are followed by a cursor, a URL or a number", "[pages]") {
  FakeWeb web;
  web.answer(kUsers + "?n=2", 200, R"({"d":[{"id":1}],"c":"a b"})");
  web.answer(kUsers + "?n=2&after=a%20b", 200, R"({"d":[{"id":2}],"c":""})");
  CHECK(collect(web, users("query: [n=2], rows: /d, pages: cursor, cursor: /c, parameter: after"))
            .ids == List{"1", "2"});

  FakeWeb urls;
  urls.answer(kUsers, 200, R"({"d":[{"id":1}],"next":"https://api.test/users?p=2"})");
  urls.answer(kUsers + "?p=2", 200, R"({"d":[{"id":2}],"next":null})");
  CHECK(collect(urls, users("rows: /d, pages: url, cursor: /next")).ids == List{"1", "2"});

  FakeWeb numbers;
  numbers.answer(kUsers, 200, R"([{"id":1}])");
  numbers.answer(kUsers + "?page=2", 200, R"([{"id":2}])");
  numbers.answer(kUsers + "?page=3", 200, "[]");
  CHECK(collect(numbers, users("pages: number, parameter: page")).ids == List{"1", "2"});
}

TEST_CASE("a page that is not what it should be makes the table an error", "[pages]") {
  struct Case {
    int status;
    const char* body;
    const char* error;
  };
  const auto given = GENERATE(values<Case>({
      {401, R"({"message":"Bad credentials"})", "denied: *answered 401: Bad credentials (the cre"},
      {403, R"({"errorSummary":"not allowed"})", "denied: *answered 403: not allowed"},
      {404, "", "not-found: *answered 404"},
      {400, "", "tool-failed: *answered 400"},
      {204, "", "tool-failed: *answered 204"},
      {500, "", "unavailable: *answered 500"},
      {200, R"([{"id":2)", "invalid: *is no JSON (no content type)"},
      {200, "<html>", "invalid: *is no JSON"},
      {200, "", "invalid: *is no JSON"},
      {200, R"({"message":"x"})", "invalid: *has no list"},
      {200, "null", "invalid: *has no list"},
  }));
  CAPTURE(given.status, given.body);
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1}])", {{"link", "<?page=2>; rel=\"next\""}});
  web.answer(kUsers + "?page=2", given.status, given.body);

  const auto got = collect(web, users("pages: link"));

  const std::string wanted = given.error;
  const auto star = wanted.find('*');
  CHECK_THAT(got.error, Catch::StartsWith(wanted.substr(0, star) + kUsers + ", page 2: "));
  CHECK_THAT(got.error, Contains(wanted.substr(star + 1)));
}

TEST_CASE("a row that is not what is declared is a gap, and the others stand", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1},{"id":"x"},{},7,{"id":5}])");

  const auto got = collect(web, users("pages: none"));

  CHECK(got.ids == List{"1", "5"});
  REQUIRE(got.gaps.size() == 3);
  CHECK_THAT(got.gaps[0], Catch::StartsWith("page 1, row 2: column id: expected an integer"));
}

TEST_CASE("pages without end are an error", "[pages]") {
  FakeWeb circle;
  circle.answer(kUsers, 200, R"([{"id":1}])", {{"link", "<?page=2>; rel=\"next\""}});
  circle.answer(kUsers + "?page=2", 200, R"([{"id":2}])", {{"link", "</users>; rel=\"next\""}});
  CHECK_THAT(collect(circle, users("pages: link")).error,
             Contains("page 3: the pages go in a circle"));

  FakeWeb deaf;  // It does not know the parameter.
  deaf.answer(kUsers, 200, R"([{"id":1}])");
  deaf.answer(kUsers + "?page=2", 200, R"([{"id":1}])");
  CHECK_THAT(collect(deaf, users("pages: number, parameter: page")).error,
             Contains("page 2: the pages go in a circle"));

  FakeWeb endless;
  for (int i = 0; i < 9; ++i) {
    endless.answer(kUsers + (i == 0 ? "" : "?c=" + std::to_string(i)), 200,
                   "{\"d\":[],\"c\":" + std::to_string(i + 1) + "}");
  }
  CHECK_THAT(
      collect(endless, users("rows: /d, pages: cursor, cursor: /c, parameter: c, pages_max: 5"))
          .error,
      Contains("too-large: https://api.test/users, page 6: there are more than 5 pages"));
  CHECK(endless.asked.size() == 5);
}

TEST_CASE("rows and bytes have their bounds", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1},{"id":2},{"id":3}])");
  CHECK_THAT(collect(web, users("rows_max: 2")).error, Contains("more than 2 rows"));

  FakeWeb large;
  large.answer(kUsers, 200, "[" + std::string(2000, ' ') + "]");
  CHECK_THAT(collect(large, users("page_bytes_max: 1KiB")).error, Catch::StartsWith("too-large"));
}

TEST_CASE("a next page that nobody asked for is an error and no shorter table", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1}])", {{"link", "<?page=2>; rel=\"next\""}});

  CHECK_THAT(collect(web, users("pages: none")).error, Contains("pages: link follows it"));

  FakeWeb garbled;
  garbled.answer(kUsers, 200, R"([{"id":1}])", {{"link", "page 2"}});
  CHECK_THAT(collect(garbled, users("pages: link")).error, Contains("Link header cannot be read"));
}

TEST_CASE("nothing leads to another server", "[pages]") {
  FakeWeb link;
  link.answer(kUsers, 200, R"([{"id":1}])", {{"link", "<https://evil.test/users>; rel=\"next\""}});
  CHECK_THAT(collect(link, users("pages: link")).error,
             Contains("leads to https://evil.test/users, which is not https://api.test:443"));
  CHECK(link.asked == List{kUsers});

  FakeWeb redirect;
  redirect.answer(kUsers, 302, "", {{"location", "http://api.test/users"}});
  CHECK_THAT(collect(redirect, users("pages: none")).error, Contains("not followed"));
  CHECK(redirect.asked == List{kUsers});
}

TEST_CASE("a redirect within the server is followed, but not for ever", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 301, "", {{"location", "/people"}});
  web.answer("https://api.test/people", 200, R"([{"id":1}])");
  CHECK(collect(web, users("pages: none")).ids == List{"1"});

  FakeWeb circle;
  circle.answer(kUsers, 302, "", {{"location", "/users"}});
  CHECK_THAT(collect(circle, users("pages: none")).error, Contains("redirects again and again"));
  CHECK(circle.asked.size() == 6);
}

TEST_CASE("a rate limit is waited for as long as the run lasts", "[pages]") {
  FakeWeb web;
  web.answer(kUsers, 429, "", {{"retry-after", "30"}});
  web.answer(kUsers, 200, R"([{"id":1}])",
             {{"x-ratelimit-remaining", "0"},
              {"x-ratelimit-reset", "1790000039"},
              {"link", "<?page=2>; rel=\"next\""}});
  web.answer(kUsers + "?page=2", 200, R"([{"id":2}])");
  CHECK(collect(web, users("pages: link")).ids == List{"1", "2"});
  CHECK(web.waited_s == 40);

  FakeWeb late;
  late.answer(kUsers, 429, "", {{"retry-after", "3000"}});
  CHECK_THAT(collect(late, users("pages: none")).error, Contains("asked again in 3000 s"));
  CHECK(late.waited_s == 0);

  FakeWeb stubborn;
  stubborn.answer(kUsers, 429, "", {{"retry-after", "1"}});
  CHECK_THAT(collect(stubborn, users("pages: none")).error, Contains("still answers 429 after 3"));
  CHECK(stubborn.asked.size() == 4);
}

TEST_CASE("a failure that may pass is asked again twice", "[pages]") {
  FakeWeb web;
  web.fail(kUsers, {Errc::unavailable, "the answer is cut short"});
  web.answer(kUsers, 502, "");
  web.answer(kUsers, 200, R"([{"id":1}])");
  CHECK(collect(web, users("pages: none")).ids == List{"1"});
  CHECK(web.waited_s == 3);

  FakeWeb down;
  down.fail(kUsers, {Errc::unavailable, "the answer is cut short"});
  CHECK_THAT(collect(down, users("pages: none")).error,
             Contains("page 1: the answer is cut short"));
  CHECK(down.asked.size() == 3);

  FakeWeb refused;
  refused.fail(kUsers, {Errc::denied, "its certificate"});
  CHECK_THAT(collect(refused, users("pages: none")).error, Contains("its certificate"));
  CHECK(refused.asked.size() == 1);
}

TEST_CASE("each row of one source leads to a page of another", "[pages]") {
  const std::string sources =
      "  - { table: repositories, server: api, path: /repos, columns: [{ name: id, type: integer, "
      "key: true }, { name: name }] }\n"
      "  - table: protection\n    server: api\n    path: \"/repos/{name}/protection\"\n"
      "    each: repositories\n    single: true\n"
      "    absent: [{ status: 404, at: /message, equals: Branch not protected }]\n"
      "    columns: [{ name: id, type: integer, key: true, from: \"{id}\" }, { name: strict, type: "
      "boolean, from: /s }]\n";
  FakeWeb web;
  const std::string repos = "https://api.test/repos";
  web.answer(
      repos, 200,
      R"([{"id":1,"name":"a/.."},{"id":2,"name":"b"},{"id":3,"name":"c"},{"id":4,"name":".."}])");
  web.answer(repos + "/a%2F../protection", 200, R"({"s":true})");
  web.answer(repos + "/b/protection", 404, R"({"message":"Branch not protected"})");
  web.answer(repos + "/c/protection", 404, R"({"message":"Not Found"})");

  const auto got = collect(web, sources, 1);

  CHECK(got.error.empty());
  CHECK(got.ids == List{"1"});
  REQUIRE(got.gaps.size() == 2);
  CHECK_THAT(got.gaps[0], Contains("/repos/c/protection: ") && Contains("answered 404: Not Found"));
  CHECK_THAT(got.gaps[1], Contains("the path needs a name"));

  FakeWeb denied;
  denied.answer(repos, 200, R"([{"id":1,"name":"a"},{"id":2,"name":"b"}])");
  denied.answer(repos + "/a/protection", 401, "");
  CHECK_THAT(collect(denied, sources, 1).error, Contains("answered 401"));
  CHECK(denied.asked.size() == 2);

  FakeWeb gone;
  gone.answer(repos, 500, "");
  CHECK_THAT(collect(gone, sources, 1).error, Contains("repositories, whose rows lead here"));
}

TEST_CASE("of an object whose second page fails no row stays", "[pages]") {
  const std::string sources =
      "  - { table: teams, server: api, path: /teams, columns: [{ name: id, type: integer, key: "
      "true "
      "}] }\n"
      "  - table: members\n    server: api\n    path: \"/teams/{id}/members\"\n    each: teams\n"
      "    pages: link\n    columns: [{ name: id, type: integer, key: true }]\n";
  const std::string teams = "https://api.test/teams";
  FakeWeb web;
  web.answer(teams, 200, R"([{"id":1},{"id":2}])");
  web.answer(teams + "/1/members", 200, R"([{"id":10}])", {{"link", "<?page=2>; rel=\"next\""}});
  web.answer(teams + "/1/members?page=2", 404, "");
  web.answer(teams + "/2/members", 200, R"([{"id":20}])");

  const auto got = collect(web, sources, 1);

  CHECK(got.ids == List{"20"});
  REQUIRE(got.gaps.size() == 1);
  CHECK_THAT(got.gaps[0], Contains("/teams/1/members: ") && Contains("page 2: answered 404"));
}

TEST_CASE("the credential is shown to its server, and an answer that repeats it is not kept",
          "[pages]") {
  ServerSpec server;
  server.origin = "https://api.test:443";
  server.credential_header = "Authorization: SSWS";
  FakeWeb web;
  web.answer(kUsers, 200, R"([{"id":1,"you":"sent s3cr3t-t0ken"}])");
  Fetcher fetcher(web, server, "s3cr3t-t0ken");
  std::string url = kUsers;

  const auto reply = fetcher.get(url, 1000);

  CHECK(web.shown[0] == List{"Authorization: SSWS s3cr3t-t0ken"});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Contains("repeats the credential"));
  CHECK(reply.error().message.find("s3cr3t") == std::string::npos);
}

}  // namespace vouch::http_json
