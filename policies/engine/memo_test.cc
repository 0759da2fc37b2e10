// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "policies/engine/evaluate.h"

namespace vouch::policy {

TEST_CASE("a memo keeps no large findings", "[evaluate]") {
  Memo memo;
  Judgement judgement;
  judgement.kind = OutcomeKind::fail;
  judgement.findings = std::string(kKeptFindingsBytesMax, 'x');
  memo.of("c")["small"] = judgement;
  judgement.findings += 'x';
  memo.of("c")["large"] = judgement;

  Memo kept;
  kept.restore(memo.write());

  CHECK(kept.of("c").contains("small"));
  CHECK_FALSE(kept.of("c").contains("large"));
}

}  // namespace vouch::policy
