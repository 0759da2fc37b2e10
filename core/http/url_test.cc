// SPDX-License-Identifier: Apache-2.0
#include "core/http/url.h"

#include <catch2/catch.hpp>

namespace vouch::http {

TEST_CASE("a reference leads on from where it stands", "[url]") {
  const std::string base = "https://api.example.com/a/b?page=1";

  CHECK(resolve_url(base, "https://x.example/y").value() == "https://x.example/y");
  CHECK(resolve_url(base, "/c").value() == "https://api.example.com/c");
  CHECK(resolve_url(base, "?page=2").value() == "https://api.example.com/a/b?page=2");
  CHECK(resolve_url(base, "//evil.example/c").value() == "https://evil.example/c");
  CHECK_FALSE(resolve_url(base, ""));
  CHECK_FALSE(resolve_url("nonsense://", "x y"));
}

TEST_CASE("an origin is scheme, host and port", "[url]") {
  CHECK(origin_of("https://API.Example.com/a?b#c").value() == "https://api.example.com:443");
  CHECK(origin_of("http://127.0.0.1:8080/").value() == "http://127.0.0.1:8080");
  CHECK(origin_of("https://a.example:443").value() == origin_of("https://a.example/x").value());
  CHECK(origin_of("https://a.example").value() != origin_of("https://a.example:8443").value());
  CHECK(origin_of("https://a.example@evil.example/x").has_value() == false);
  for (const auto* bad : {"ftp://a.example/", "file:///etc/passwd", "", "https://"}) {
    CAPTURE(bad);
    CHECK_FALSE(origin_of(bad));
  }
}

TEST_CASE("loopback is loopback and nothing that looks like it", "[url]") {
  CHECK(is_loopback("http://127.0.0.1:80/"));
  CHECK(is_loopback("http://LocalHost/"));
  CHECK(is_loopback("http://[::1]:80/"));
  CHECK_FALSE(is_loopback("http://127.0.0.1.evil.example/"));
  CHECK_FALSE(is_loopback("http://localhost.evil.example/"));
  CHECK_FALSE(is_loopback("http://10.0.0.1/"));
}

TEST_CASE("text in a path stays one segment of it", "[url]") {
  CHECK(percent_encode("a-b._~9") == "a-b._~9");
  CHECK(percent_encode("a/b?c#d %\xff") == "a%2Fb%3Fc%23d%20%25%FF");
}

}  // namespace vouch::http
