// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/stat_cache.h"

#include <catch2/catch.hpp>

#include "core/digest.h"

using namespace vouch;
using namespace vouch::drift;

namespace {

constexpr WallSeconds kNow = 1'000'000;

struct stat file(ino_t inode, time_t changed = kNow - 100) {
  struct stat status = {};
  status.st_dev = 7;
  status.st_ino = inode;
  status.st_size = 42;
  status.st_mtim.tv_sec = 1000;
  status.st_ctim.tv_sec = changed;
  return status;
}

const std::string kDigest = sha256("content");

}  // namespace

TEST_CASE("a hash is known for exactly the file that was hashed", "[stat-cache]") {
  StatCache cache;
  cache.put(file(1), kDigest, kNow);

  CHECK(cache.find(file(1), kNow) == kDigest);
  CHECK_FALSE(cache.find(file(2), kNow));
  auto other = file(1);
  other.st_size = 43;
  CHECK_FALSE(cache.find(other, kNow));
  other = file(1);
  other.st_mtim.tv_nsec = 1;
  CHECK_FALSE(cache.find(other, kNow));
  other = file(1);
  other.st_ctim.tv_nsec = 1;
  CHECK_FALSE(cache.find(other, kNow));
  other = file(1);
  other.st_dev = 8;
  CHECK_FALSE(cache.find(other, kNow));
}

TEST_CASE("every hash is made anew within a day, not all at once", "[stat-cache]") {
  StatCache cache;
  for (ino_t inode = 1; inode <= 1000; ++inode) cache.put(file(inode), kDigest, kNow);

  int trusted_early = 0;
  int trusted_midway = 0;
  int trusted_late = 0;
  for (ino_t inode = 1; inode <= 1000; ++inode) {
    trusted_early += cache.find(file(inode), kNow + kHashAgeMax / 2 - 1).has_value();
    trusted_midway += cache.find(file(inode), kNow + kHashAgeMax * 3 / 4).has_value();
    trusted_late += cache.find(file(inode), kNow + kHashAgeMax).has_value();
  }

  CHECK(trusted_early == 1000);
  CHECK(trusted_midway > 300);
  CHECK(trusted_midway < 700);
  CHECK(trusted_late == 0);
  CHECK(cache.earliest_due() >= kNow + kHashAgeMax / 2);
  CHECK(cache.earliest_due() < kNow + kHashAgeMax);
}

TEST_CASE("a clock that goes back makes no hash live longer", "[stat-cache]") {
  StatCache cache;
  cache.put(file(1), kDigest, kNow);

  CHECK_FALSE(cache.find(file(1), kNow - 1));
}

TEST_CASE("a file that changed a moment ago is not remembered", "[stat-cache]") {
  StatCache cache;
  cache.put(file(1), kDigest, kNow);
  cache.put(file(1, kNow - 1), kDigest, kNow);
  cache.put(file(2, kNow + 50), kDigest, kNow);

  CHECK(cache.size() == 0);
}

TEST_CASE("a cache survives writing and reading, with the age of its hashes", "[stat-cache]") {
  StatCache cache;
  cache.token = std::string(64, 'a');
  for (ino_t inode = 1; inode <= 10; ++inode) cache.put(file(inode), kDigest, kNow);

  const std::string bytes = cache.serialize();
  const auto read = StatCache::parse(bytes);
  const auto head = StatCache::parse_head(bytes.substr(0, StatCache::kHeadBytes));

  REQUIRE(read);
  CHECK(read->size() == 10);
  CHECK(read->token == cache.token);
  CHECK(read->find(file(3), kNow) == kDigest);
  CHECK(read->earliest_due() == cache.earliest_due());
  REQUIRE(head);
  CHECK(head->token == cache.token);
  CHECK(head->earliest_due == cache.earliest_due());
}

TEST_CASE("a damaged cache is refused whole", "[stat-cache]") {
  StatCache cache;
  cache.put(file(1), kDigest, kNow);
  const std::string good = cache.serialize();

  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    CAPTURE(at);
    REQUIRE_FALSE(StatCache::parse(bad));
    REQUIRE_FALSE(StatCache::parse(good.substr(0, at)));
  }
  CHECK_FALSE(StatCache::parse(good + "x"));
}
