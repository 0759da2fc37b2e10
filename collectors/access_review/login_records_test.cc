// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/login_records.h"

#include <lastlog.h>
#include <utmpx.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace vouch::access;

namespace {

std::string wtmp_record(short type, std::string_view user, std::int32_t seconds) {
  struct utmpx entry = {};
  entry.ut_type = type;
  std::memcpy(entry.ut_user, user.data(), std::min(user.size(), sizeof entry.ut_user));
  entry.ut_tv.tv_sec = seconds;
  std::string bytes(sizeof entry, '\0');
  std::memcpy(bytes.data(), &entry, sizeof entry);
  return bytes;
}

}  // namespace

TEST_CASE("the newest login of each user counts, logouts and boots do not", "[logins]") {
  const std::string bytes =
      wtmp_record(USER_PROCESS, "ann", 2000) + wtmp_record(USER_PROCESS, "ann", 1000) +
      wtmp_record(DEAD_PROCESS, "ann", 9000) + wtmp_record(BOOT_TIME, "reboot", 9000) +
      wtmp_record(USER_PROCESS, "", 9000) + wtmp_record(USER_PROCESS, std::string(40, 'u'), 7) +
      wtmp_record(USER_PROCESS, "late", -1);
  const std::size_t piece = GENERATE(1u, 100u, 384u, 1000u, 100000u);
  WtmpReader reader;

  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(std::string_view(bytes).substr(at, piece));
  }

  CHECK(reader.leftover() == 0);
  CHECK(reader.strange_records() == 0);
  CHECK(reader.logins() == std::map<std::string, std::int64_t>{
                               {"ann", 2000}, {std::string(32, 'u'), 7}, {"late", 4294967295}});
}

TEST_CASE("a torn or foreign file shows itself", "[logins]") {
  WtmpReader torn;
  torn.feed(wtmp_record(USER_PROCESS, "ann", 1) + "half");
  CHECK(torn.leftover() == 4);

  WtmpReader foreign;
  foreign.feed(std::string(WtmpReader::record_size() * 3, 'x'));
  CHECK(foreign.strange_records() == 3);
  CHECK(foreign.logins().empty());
}

TEST_CASE("a lastlog record of zero is never, a short one is none", "[logins]") {
  struct lastlog entry = {};
  std::string bytes(sizeof entry, '\0');
  CHECK_FALSE(parse_lastlog_record(bytes));

  entry.ll_time = 1700000000;
  std::memcpy(bytes.data(), &entry, sizeof entry);
  CHECK(parse_lastlog_record(bytes) == 1700000000);
  CHECK_FALSE(parse_lastlog_record(std::string_view(bytes).substr(1)));
}
