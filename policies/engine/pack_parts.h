// SPDX-License-Identifier: Apache-2.0
// Loading the parts of a pack that stand below a check: its parameters and its tests.
#pragma once

#include <string_view>

#include "core/result.h"
#include "core/yaml.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

Result<Params> load_params(std::string_view file_name, const yaml::Node& node);
Result<CheckTest> load_check_test(std::string_view file_name, const yaml::Node& node);

}  // namespace vouch::policy
