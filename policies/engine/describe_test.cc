// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/describe.h"

#include <catch2/catch.hpp>

#include "source_dir.h"

namespace vouch::policy {

TEST_CASE("criteria of a control come from the mapping files, edition included", "[describe]") {
  const auto criteria = read_criteria({std::string(VOUCH_SOURCE_DIR) + "/policies/mappings"});
  if (!criteria) FAIL(criteria.error().message);
  const auto found = criteria->find("dormant-accounts");
  REQUIRE(found != criteria->end());
  CHECK(found->second.find("soc2-2017 CC6.1") != std::string::npos);
  CHECK(found->second.find("iso27001-2022 A.") != std::string::npos);
  CHECK_FALSE(read_criteria({"/nowhere.yaml"}));
}

}  // namespace vouch::policy
