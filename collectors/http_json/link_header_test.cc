// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/link_header.h"

#include <catch2/catch.hpp>

namespace vouch::http_json {
namespace {

std::string next(std::string_view header) {
  const auto found = next_link(header);
  if (!found) return "!";
  return found->value_or("none");
}

}  // namespace

TEST_CASE("the next page is the link whose rel says so", "[link]") {
  CHECK(next("<https://a/x?page=2>; rel=\"next\", <https://a/x?page=9>; rel=\"last\"") ==
        "https://a/x?page=2");
  CHECK(next("<https://a/x>; rel=\"self\", <https://a/x?after=b>; rel=\"next\"") ==
        "https://a/x?after=b");
  CHECK(next("</x?page=2>;rel=next") == "/x?page=2");
  CHECK(next("<?p=2> ; title=\"a, <b>; rel=\\\"next\\\"\" ; REL = \"prev NEXT\"") == "?p=2");
  CHECK(next("<a,b;c>; rel=\"next\"") == "a,b;c");
  CHECK(next(", ,<b>; rel=next") == "b");
}

TEST_CASE("where no link is the next one there is none", "[link]") {
  CHECK(next("") == "none");
  CHECK(next("<https://a/x>; rel=\"prev\"") == "none");
  CHECK(next("<https://a/x>") == "none");
  CHECK(next("<https://a/x>; rel=\"nextish\"") == "none");
  CHECK(next("<https://a/x>; rel=\"prev\"; rel=\"next\"") == "none");
  CHECK(next("<https://a/x>; anchor=\"next\"") == "none");
}

TEST_CASE("what is no list of links is not taken for one without a next page", "[link]") {
  CHECK(next("https://a/x; rel=next") == "!");
  CHECK(next("<https://a/x; rel=next") == "!");
  CHECK(next("<https://a/x>; rel=\"next") == "!");
  CHECK(next("<https://a/x>; rel=\"prev\" <b>; rel=next") == "!");
}

}  // namespace vouch::http_json
