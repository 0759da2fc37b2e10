// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <catch2/catch.hpp>

namespace vouch {

TEST_CASE("random bytes have the length asked for and do not repeat", "[random]") {
  CHECK(random_bytes(0).empty());
  CHECK(random_bytes(1000).size() == 1000);
  CHECK(random_bytes(32) != random_bytes(32));
}

TEST_CASE("a made UUID is a version 4 UUID in lower case", "[random]") {
  for (int i = 0; i < 64; ++i) CHECK(is_uuid_v4(uuid_v4()));
  CHECK(uuid_v4() != uuid_v4());
}

TEST_CASE("text that is no lower-case version 4 UUID is refused", "[random]") {
  CHECK(is_uuid_v4("6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77"));
  const auto bad = GENERATE(as<std::string>{}, "", "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c7",
                            "6F1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77",  // upper case
                            "6f1c2a9e-0b7d-1c53-9a51-2d0e8b3f4c77",  // version 1
                            "6f1c2a9e-0b7d-4c53-ca51-2d0e8b3f4c77",  // another variant
                            "6f1c2a9e00b7d-4c53-9a51-2d0e8b3f4c77",  // dash missing
                            "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c7-"   // dash at the end
  );
  CAPTURE(bad);
  CHECK_FALSE(is_uuid_v4(bad));
}

}  // namespace vouch
