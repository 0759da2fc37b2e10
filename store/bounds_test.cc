// SPDX-License-Identifier: Apache-2.0
#include "store/bounds.h"

#include <catch2/catch.hpp>

using namespace vouch::store;

TEST_CASE("a client has at most its share of the connections", "[bounds]") {
  ConnectionBook book(100, 10);
  for (int i = 0; i < 10; ++i) CHECK(book.enter("a"));

  CHECK_FALSE(book.enter("a"));
  CHECK(book.enter("b"));
  book.leave("a");
  CHECK(book.enter("a"));
  CHECK(book.count() == 11);
}

TEST_CASE("the last places are for clients that hold few", "[bounds]") {
  ConnectionBook book(16, 12);
  for (int i = 0; i < 12; ++i) REQUIRE(book.enter("a"));

  for (std::size_t i = 0; i < ConnectionBook::kFew; ++i) CHECK(book.enter("b"));
  CHECK(book.count() == 16);
  CHECK_FALSE(book.enter("c"));
  book.leave("b");
  CHECK_FALSE(book.enter("a"));
  CHECK(book.enter("c"));
}

TEST_CASE("who left holds nothing", "[bounds]") {
  ConnectionBook book(2, 1);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(book.enter("a"));
    book.leave("a");
    book.leave("a");  // Once too often changes nothing.
  }
  CHECK(book.count() == 0);
}

TEST_CASE("a client is an IPv4 address or an IPv6 network of 64 bits", "[bounds]") {
  CHECK(client_name("127.0.0.1") != client_name("127.0.0.2"));
  CHECK(client_name("::ffff:127.0.0.1") != client_name("::ffff:127.0.0.2"));

  CHECK(client_name("2001:db8:0:1::1") == client_name("2001:db8:0:1:ffff:2:3:4"));
  CHECK(client_name("2001:db8:0:1::1") != client_name("2001:db8:0:2::1"));
}
