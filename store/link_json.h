// SPDX-License-Identifier: Apache-2.0
// The state of a chain as the index keeps it: JSON, for a column.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/chain.h"

namespace vouch::store {

std::string write_link(const ChainLink& link);
Result<ChainLink> parse_link(std::string_view text);

}  // namespace vouch::store
