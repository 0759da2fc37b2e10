// SPDX-License-Identifier: Apache-2.0
// What Desk::list() gives, as tables for a terminal: for the agent's command line and the store's.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "core/text_table.h"

namespace vouch::alerts {

std::string firing_text(const json::Value& list, const TerminalStyle& style);
std::string alerts_text(const json::Value& list, const TerminalStyle& style);

// A member as one printable line; "" if there is none.
std::string member_text(const json::Value& object, std::string_view name);
// An array among the members; an empty one if there is none.
const json::Array& member_array(const json::Value& object, std::string_view name);

}  // namespace vouch::alerts
