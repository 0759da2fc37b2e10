// SPDX-License-Identifier: Apache-2.0
#include "agent/collect/launch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace vouch::agent {
namespace {

const LaunchRequest kRequest{"/usr/libexec/vouch/collectors/users", "2049:131:90112:17:18",
                             LaunchRequest::Mode::run, 30000};

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    here = Fd(ends[0]);
    there = Fd(ends[1]);
  }
  Fd here, there;
};

}  // namespace

TEST_CASE("each launch message reads back as it was written", "[launch]") {
  const LaunchHello hello{"/var/cache/vouch-collect", 4};
  CHECK(parse_hello(write_hello(hello)).value() == hello);
  CHECK(write_hello(hello) ==
        R"({"cache_root":"/var/cache/vouch-collect","capabilities":"0000000000000004","v":1})");
  CHECK(parse_launch(write_launch(kRequest)).value() == kRequest);

  Exit exit;
  exit.how = Exit::How::signalled;
  exit.code = 9;
  exit.cpu = std::chrono::milliseconds(12);
  exit.max_rss_kib = 4100;
  const auto reply = parse_reply(write_reply(exit)).value();
  REQUIRE(std::holds_alternative<Exit>(reply));
  CHECK(std::get<Exit>(reply).how == Exit::How::signalled);
  CHECK(std::get<Exit>(reply).code == 9);
  CHECK(std::get<Exit>(reply).cpu.count() == 12);
  CHECK(std::get<Exit>(reply).max_rss_kib == 4100);

  const auto refused = parse_reply(write_reply(Error{Errc::denied, "not yours"})).value();
  REQUIRE(std::holds_alternative<Error>(refused));
  CHECK(std::get<Error>(refused).code == Errc::denied);
  CHECK(std::get<Error>(refused).message == "not yours");
}

TEST_CASE("a launch request that is not one is refused", "[launch]") {
  const auto text = GENERATE(
      as<std::string>{}, "", "{}", "[1]", R"({"v":2})",
      R"({"v":1,"program":"users","file":"1:2:3:4:5","mode":"run","deadline_ms":1})",
      R"({"v":1,"program":"/users","file":"1:2:3:4","mode":"run","deadline_ms":1})",
      R"({"v":1,"program":"/users","file":"1:2:3:4:x","mode":"run","deadline_ms":1})",
      R"({"v":1,"program":"/users","file":"1:2:3:4:5","mode":"shell","deadline_ms":1})",
      R"({"v":1,"program":"/users","file":"1:2:3:4:5","mode":"run","deadline_ms":0})",
      R"({"v":1,"program":"/users","file":"1:2:3:4:5","mode":"run","deadline_ms":3600001})");
  CAPTURE(text);
  CHECK_FALSE(parse_launch(text));
}

TEST_CASE("a hello or a reply that is not one is refused", "[launch]") {
  CHECK_FALSE(parse_hello(R"({"v":1,"cache_root":"relative","capabilities":"0000000000000004"})"));
  CHECK_FALSE(parse_hello(R"({"v":1,"cache_root":"","capabilities":"4"})"));
  CHECK_FALSE(parse_hello(R"({"v":1,"cache_root":"","capabilities":"000000000000000g"})"));
  CHECK_FALSE(parse_reply(R"({"v":1,"how":"melted","code":0})"));
  CHECK_FALSE(parse_reply(R"({"v":1,"how":"exited","code":0})"));
}

TEST_CASE("a message comes with both descriptors or none", "[launch]") {
  const Pair pair;
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);

  REQUIRE(send_message(pair.here.get(), "both", read_end.get(), write_end.get()));
  REQUIRE(send_message(pair.here.get(), "none"));

  const auto both = receive_message(pair.there.get(), std::chrono::seconds(1)).value();
  CHECK(both.text == "both");
  REQUIRE(both.output);
  REQUIRE(::write(both.output.get(), "x", 1) == 1);
  char got = 0;
  CHECK(::read(read_end.get(), &got, 1) == 1);
  CHECK(got == 'x');
  const auto none = receive_message(pair.there.get(), std::chrono::seconds(1)).value();
  CHECK(none.text == "none");
  CHECK_FALSE(none.input);
}

TEST_CASE("a message that is too long is refused", "[launch]") {
  const Pair pair;
  REQUIRE(send_message(pair.here.get(), std::string(kLaunchMessageBytesMax + 1, 'x')));
  CHECK(receive_message(pair.there.get(), std::chrono::seconds(1)).error().code == Errc::invalid);
}

TEST_CASE("silence and a closed connection are told apart", "[launch]") {
  Pair pair;
  CHECK(receive_message(pair.there.get(), std::chrono::milliseconds(1)).error().code ==
        Errc::timeout);
  pair.here.reset();
  CHECK(receive_message(pair.there.get(), std::chrono::seconds(1)).error().code ==
        Errc::unavailable);
}

}  // namespace vouch::agent
