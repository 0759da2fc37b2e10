// SPDX-License-Identifier: Apache-2.0
#include "core/zstd.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace vouch;

namespace {

std::string varied(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

const std::string kSkippableFrame("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9);

// A frame of one raw block, "a", with the descriptor and further header bytes given.
std::string hand_made(std::string_view descriptor_and_rest) {
  return std::string("\x28\xb5\x2f\xfd", 4) + std::string(descriptor_and_rest) +
         std::string(
             "\x09\x00\x00"
             "a",
             4);
}

}  // namespace

TEST_CASE("what is compressed comes back", "[zstd]") {
  const auto size = GENERATE(as<std::size_t>{}, 0, 1, 4096, 1u << 20, (9u << 20) + 1);
  const int level = GENERATE(1, 3);
  const std::string bytes = varied(size);

  const auto back = zstd::decompress(zstd::compress(bytes, level), bytes.size());

  REQUIRE(back);
  CHECK(*back == bytes);
}

TEST_CASE("every level that can be asked for stays inside the window", "[zstd]") {
  const std::string bytes(20u << 20, 'x');

  CHECK(zstd::decompress(zstd::compress(bytes, 22), bytes.size()));
}

TEST_CASE("one byte over the bound is too large, at the bound is fine", "[zstd]") {
  const std::string bomb = zstd::compress(std::string(10u << 20, '\0'));
  CHECK(bomb.size() < 4096);

  CHECK(zstd::decompress(bomb, 10u << 20));
  CHECK(zstd::decompress(bomb, (10u << 20) - 1).error().code == Errc::too_large);
}

TEST_CASE("a bomb that does not declare its size stops at the bound", "[zstd]") {
  // No content size in the header: window descriptor for 1 MiB, then 64 blocks of 128 KiB RLE.
  std::string bomb = std::string("\x28\xb5\x2f\xfd\x00\x50", 6);
  for (int i = 0; i < 64; ++i) bomb += std::string("\x02\x00\x10\x00", 4);
  bomb += std::string("\x03\x00\x00\x00", 4);
  std::size_t delivered = 0;
  const auto sink = [&delivered](std::string_view piece) -> Status {
    delivered += piece.size();
    return Ok{};
  };

  zstd::Decompressor decompressor(1u << 20);
  const auto fed = decompressor.feed(bomb, sink);

  REQUIRE_FALSE(fed);
  CHECK(fed.error().code == Errc::too_large);
  CHECK(delivered <= 1u << 20);
  CHECK(zstd::decompress(bomb, 8u << 20));
}

TEST_CASE("only one frame, and nothing around it, is accepted", "[zstd]") {
  const std::string good = zstd::compress("some bytes");
  const auto bad = GENERATE_COPY(std::string(), std::string("plain text"), good + good, good + "x",
                                 good + kSkippableFrame, kSkippableFrame + good, kSkippableFrame,
                                 good.substr(0, good.size() - 1), good.substr(0, 5),
                                 std::string("\x27\xb5\x2f\xfd", 4) + good.substr(4));
  CAPTURE(bad);

  CHECK(zstd::decompress(bad, 1000).error().code == Errc::invalid);
}

TEST_CASE("a changed byte is noticed by the checksum", "[zstd]") {
  std::string bytes = zstd::compress(varied(1000));
  bytes[500] = static_cast<char>(bytes[500] ^ 1);

  CHECK(zstd::decompress(bytes, 1000).error().code == Errc::invalid);
}

TEST_CASE("dictionaries, reserved bits and windows over 8 MiB are refused", "[zstd]") {
  using std::string;
  REQUIRE(zstd::decompress(hand_made(string("\x20\x01", 2)), 10).value() == "a");
  REQUIRE(zstd::decompress(hand_made(string("\x00\x68", 2)), 10).value() == "a");  // 8 MiB

  const auto bad = GENERATE(as<string>{}, string("\x21\x05\x01", 3),  // a dictionary id of one byte
                            string("\x21\x00\x01", 3),                // the same, zero
                            string("\x28\x01", 2),                    // the reserved bit
                            string("\x00\x69", 2),                    // 9 MiB
                            string("\x00\x70", 2),                    // 16 MiB
                            string("\x00\xff", 2));  // the largest that can be written
  CAPTURE(bad);

  CHECK(zstd::decompress(hand_made(bad), 10).error().code == Errc::invalid);
}

TEST_CASE("a single segment over 8 MiB is a window over 8 MiB", "[zstd]") {
  const std::string frame = hand_made(std::string("\xa0\x01\x00\x80\x00", 5));

  const auto refused = zstd::decompress(frame, 512u << 20);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid);
  CHECK_THAT(refused.error().message, Catch::Contains("window"));
}

TEST_CASE("a stream fed byte by byte gives the same bytes", "[zstd]") {
  const std::string bytes = varied(3000) + std::string(3000, 'x');
  const std::string packed = zstd::compress(bytes);
  std::string out;
  zstd::Decompressor decompressor(bytes.size());

  for (const char byte : packed) {
    CHECK_FALSE(decompressor.finish());
    REQUIRE(decompressor.feed({&byte, 1}, [&out](std::string_view piece) -> Status {
      out += piece;
      return Ok{};
    }));
  }

  CHECK(decompressor.finish());
  CHECK(out == bytes);
  CHECK(decompressor.feed("x", nullptr).error().code == Errc::invalid);
}

TEST_CASE("an error of the sink stops the stream and is returned", "[zstd]") {
  zstd::Decompressor decompressor(1u << 20);

  const auto fed =
      decompressor.feed(zstd::compress(varied(400000)), [](std::string_view) -> Status {
        return Error{Errc::denied, "enough"};
      });

  REQUIRE_FALSE(fed);
  CHECK(fed.error().message == "enough");
}
