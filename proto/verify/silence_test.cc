// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/silence.h"

#include <catch2/catch.hpp>

namespace vouch::verify {
namespace {

constexpr WallMs kMinute = 60000;
constexpr WallMs kHour = 60 * kMinute;
constexpr WallMs kPromised = 100 * kHour;
constexpr std::string_view kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";

Noted<leaf::Overdue> overdue(std::uint64_t index, WallMs at, WallMs due = kPromised) {
  return {index, index, at, {std::string(kAgent), 7, due, 600}};
}
Noted<leaf::Recovered> recovered(std::uint64_t index, std::int64_t of) {
  return {index, index, 0, {std::string(kAgent), 7, of}};
}
Noted<leaf::Late> late(std::uint64_t index, std::int64_t late_s) {
  return {index, index, 0, {std::string(kAgent), 7, late_s}};
}

// Seq 7 was promised for kPromised and came at leaf 50.
Arrival came(WallMs at) {
  return {at - kMinute, at, 50, kPromised, kPromised - kHour};
}

std::string only(const std::vector<std::string>& found) {
  CHECK(found.size() == 1);
  return found.empty() ? "" : found.front();
}

}  // namespace

TEST_CASE("a bundle in time needs no leaf", "[silence]") {
  CHECK(check_arrival({}, came(kPromised + 59 * kMinute), 200 * kHour).empty());
  CHECK(check_arrival({}, {0, kMinute, 50, std::nullopt, 0}, 200 * kHour).empty());
}

TEST_CASE("silence that an overdue leaf dates and a recovered leaf ends is on record",
          "[silence]") {
  const ArrivalNotes notes{{overdue(40, kPromised + 11 * kMinute)}, {recovered(51, 40)}, {}};
  CHECK(check_arrival(notes, came(kPromised + 5 * kHour), 200 * kHour).empty());
}

TEST_CASE("silence without an overdue leaf shows", "[silence]") {
  CHECK_THAT(only(check_arrival({}, came(kPromised + 2 * kHour), 200 * kHour)),
             Catch::StartsWith("silence:") && Catch::Contains("no overdue leaf"));
  CHECK_THAT(only(check_absence({}, kPromised, kPromised - kHour, kPromised + 2 * kHour)),
             Catch::Contains("the log goes on to"));
  CHECK(check_absence({}, kPromised, kPromised + kHour, kPromised + 2 * kHour).empty());
  CHECK(
      check_absence({{overdue(40, kPromised + kHour)}, {}, {}}, kPromised, 0, 200 * kHour).empty());
}

TEST_CASE("of a backlog that comes in at once only the first was silent", "[silence]") {
  const auto at = kPromised + 9 * kHour;
  CHECK(check_arrival({}, {at - kMinute, at, 50, kPromised, at - kMinute}, 200 * kHour).empty());
}

TEST_CASE("an overdue leaf that is not so shows", "[silence]") {
  const auto found = [](const Noted<leaf::Overdue>& note) {
    return only(check_arrival({{note}, {recovered(51, 40)}, {}}, came(kPromised + 30 * kMinute),
                              200 * kHour));
  };
  CHECK_THAT(found(overdue(40, kPromised + 20 * kMinute, kPromised - 1)),
             Catch::Contains("the bundle before says"));
  CHECK_THAT(found(overdue(40, kPromised + 9 * kMinute)), Catch::Contains("before its own grace"));
  CHECK_THAT(only(check_arrival({{overdue(60, kPromised + 20 * kMinute)}, {}, {}},
                                came(kPromised + 12 * kMinute), 200 * kHour)),
             Catch::Contains("came after the bundle"));
  CHECK_THAT(only(check_arrival({{overdue(40, kPromised + kHour), overdue(41, kPromised + kHour)},
                                 {recovered(51, 40), recovered(52, 41)},
                                 {}},
                                came(kPromised + 2 * kHour), 200 * kHour)),
             Catch::Contains("says it again"));
  CHECK_THAT(only(check_absence({{overdue(40, kPromised + kMinute)}, {}, {}}, kPromised, 0, 0)),
             Catch::Contains("before its own grace"));
}

TEST_CASE("a recovery that is missing, too early or of nothing shows", "[silence]") {
  const auto due = overdue(40, kPromised + kHour);
  const auto arrival = came(kPromised + 2 * kHour);
  CHECK_THAT(only(check_arrival({{due}, {}, {}}, arrival, 200 * kHour)),
             Catch::Contains("no leaf ends the overdue of leaf 40"));
  CHECK(check_arrival({{due}, {}, {}}, arrival, arrival.at + kMinute).empty());  // On its way.
  CHECK_THAT(only(check_arrival({{due}, {recovered(45, 40)}, {}}, arrival, 200 * kHour)),
             Catch::Contains("came before the bundle"));
  CHECK_THAT(only(check_arrival({{due}, {recovered(51, 40), recovered(52, 39)}, {}}, arrival,
                                200 * kHour)),
             Catch::Contains("leaf 52 names leaf 39"));
  CHECK_THAT(only(check_absence({{due}, {recovered(51, 40)}, {}}, kPromised, 0, 0)),
             Catch::Contains("not in the log"));
}

TEST_CASE("what was long under way has a late leaf that says for how long", "[silence]") {
  const Arrival slow{kPromised - 30 * kHour, kPromised, 50, kPromised, 0};
  CHECK_THAT(only(check_arrival({}, slow, 200 * kHour)), Catch::Contains("no late leaf"));
  CHECK(check_arrival({{}, {}, {late(51, 30 * 3600)}}, slow, 200 * kHour).empty());
  CHECK_THAT(only(check_arrival({{}, {}, {late(51, 3600)}}, slow, 200 * kHour)),
             Catch::Contains("says 3600 s, sealed to received took 108000 s"));
  CHECK_THAT(only(check_arrival({{}, {}, {late(49, 30 * 3600)}}, slow, 200 * kHour)),
             Catch::Contains("late: leaf 49"));
  CHECK_THAT(only(check_absence({{}, {}, {late(51, 1)}}, std::nullopt, 0, 0)),
             Catch::Contains("not in the log"));
}

}  // namespace vouch::verify
