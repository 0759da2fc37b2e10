// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/json_pointer.h"

#include <catch2/catch.hpp>

namespace vouch::sdk {

TEST_CASE("pointers find what RFC 6901 says they find", "[json]") {
  const auto text =
      json::parse(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"k\"l":6," ":7,)"
                  R"("m~n":8,"o":{"01":9}})")
          .value();
  const auto at = [&](std::string_view pointer) -> std::string {
    const auto* found = JsonPointer::parse(pointer).value().find(text);
    return found == nullptr ? "nothing" : json::write(*found);
  };

  CHECK(at("") == json::write(text));
  CHECK(at("/foo") == R"(["bar","baz"])");
  CHECK(at("/foo/0") == R"("bar")");
  CHECK(at("/") == "0");
  CHECK(at("/a~1b") == "1");
  CHECK(at("/c%d") == "2");
  CHECK(at("/k\"l") == "6");
  CHECK(at("/ ") == "7");
  CHECK(at("/m~0n") == "8");
  CHECK(at("/o/01") == "9");
  CHECK(at("/foo/2") == "nothing");
  CHECK(at("/foo/-") == "nothing");
  CHECK(at("/foo/01") == "nothing");
  CHECK(at("/foo/99999999999999999999") == "nothing");
  CHECK(at("/foo/0/x") == "nothing");
  CHECK(at("/~01") == "nothing");
}

TEST_CASE("what is no pointer is refused", "[json]") {
  for (const auto* text : {"foo", "/a~", "/a~2b", "#/foo"}) {
    CAPTURE(text);
    CHECK_FALSE(JsonPointer::parse(text));
  }
  CHECK_FALSE(JsonPointer::parse(std::string(2000, '/')));
}

TEST_CASE("a member is found whatever its name is", "[json]") {
  const auto text = json::parse(R"({"a/b~":{"x":1}})").value();

  CHECK(JsonPointer::to_member("a/b~").find(text) != nullptr);
  CHECK(JsonPointer::to_member("x").find(text) == nullptr);
}

}  // namespace vouch::sdk
