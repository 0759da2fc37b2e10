// SPDX-License-Identifier: Apache-2.0
// Checks and controls in words, for those who tell people of them and judge nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

struct CheckDescription {
  Severity severity = Severity::medium;
  std::string title;
  std::string control;
  std::string ref;
  std::string owner;  // Of its control.
  std::string remediation;
  std::string expected;  // The title with the parameters in force; empty if it has none.
};

std::optional<CheckDescription> describe_check(const PackSet& packs, std::string_view check);

// From mapping files, and directories of them: which criteria each control evidences or supports,
// by control: "soc2-2017 CC6.1; iso27001-2022 A.5.15".
Result<std::map<std::string, std::string, std::less<>>> read_criteria(
    const std::vector<std::string>& files);

}  // namespace vouch::policy
