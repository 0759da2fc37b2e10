// SPDX-License-Identifier: Apache-2.0
#include "proto/drop_notice.h"

#include <catch2/catch.hpp>

#include "proto/limits.h"
#include "proto/test_bundle.h"

namespace vouch::drop_notice {
namespace {

Notice notice() {
  return {"6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77",
          4812,
          {{"table/packages", test::digest_of("packages")}, {"table/users", test::digest_of("u")}},
          "vouchd",
          "the file is damaged"};
}

// The payload of a good notice with `from` made `to`, signed again.
Result<Opened> reparse(const std::string& from, const std::string& to) {
  const auto key = test::seeded_key('k');
  auto payload = dsse::parse(*make(notice(), key))->payload;
  const auto at = payload.find(from);
  REQUIRE(at != std::string::npos);
  payload.replace(at, from.size(), to);
  return parse(dsse::write(*dsse::sign(key, payload)));
}

}  // namespace

TEST_CASE("a drop notice is signed, read back and holds for its key alone", "[drop_notice]") {
  const auto key = test::seeded_key('k');
  const auto bytes = make(notice(), key);
  REQUIRE(bytes);

  const auto opened = parse(*bytes);

  REQUIRE(opened);
  CHECK(opened->notice == notice());
  CHECK(opened->statement == dsse::bundle_id(*dsse::parse(*bytes)));
  CHECK(holds(*opened, key.public_key()));
  CHECK_FALSE(holds(*opened, test::seeded_key('l').public_key()));
}

TEST_CASE("a notice about no blob, or about one twice, is refused", "[drop_notice]") {
  const auto key = test::seeded_key('k');
  auto bad = notice();
  bad.lost.clear();
  CHECK_FALSE(make(bad, key));
  bad = notice();
  bad.lost[1].sha256 = bad.lost[0].sha256;
  CHECK_FALSE(make(bad, key));
  bad = notice();
  std::swap(bad.lost[0], bad.lost[1]);
  CHECK_FALSE(make(bad, key));
  bad = notice();
  bad.reason = std::string(kMessageBytesMax + 1, 'r');
  CHECK_FALSE(make(bad, key));
}

TEST_CASE("the largest notice fits its bound", "[drop_notice]") {
  auto large = notice();
  large.lost.clear();
  for (std::size_t i = 0; i < kSubjectsMax; ++i) {
    large.lost.push_back({"findings/" + std::string(64, 'c') + std::to_string(1000 + i),
                          test::digest_of(std::to_string(i))});
  }
  large.reason = std::string(kMessageBytesMax, 'r');
  CHECK(make(large, test::seeded_key('k')));
}

TEST_CASE("a statement that is no drop notice is refused", "[drop_notice]") {
  REQUIRE(reparse("4812", "4813"));

  CHECK_FALSE(reparse("drop-notice:v1", "drop-notice:v2"));
  CHECK_FALSE(reparse("Statement/v1", "Statement/v0"));
  CHECK_FALSE(reparse("6f1c2a9e", "6F1c2a9e"));
  CHECK_FALSE(reparse("4812", "-1"));
  CHECK_FALSE(reparse(R"("by":"vouchd",)", ""));
  CHECK_FALSE(reparse("sha256", "sha512"));
  CHECK_FALSE(parse(std::string(kNoticeBytesMax + 1, ' ')));
}

}  // namespace vouch::drop_notice
