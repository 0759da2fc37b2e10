// SPDX-License-Identifier: Apache-2.0
// The judgements of a period, as `vouch verify --replay` prints them below the verdict.
#pragma once

#include <string>

#include "core/text_table.h"
#include "policies/engine/slots.h"

namespace vouch::cli {

std::string slots_as_text(const policy::SlotReport& report, const TerminalStyle& style);

}  // namespace vouch::cli
