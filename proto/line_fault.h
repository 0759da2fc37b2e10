// SPDX-License-Identifier: Apache-2.0
// Why a line that is not strict JSON is not: the reasons of a run that only bytes can tell apart.
#pragma once

#include <string_view>

#include "proto/collector_protocol.h"

namespace vouch {

// `line` (without LF) was refused by json::parse(), or holds a control byte. One of nul, bad_utf8,
// wrong_type (nothing wrong but a number that is not an integer of ours, in a row) and bad_json.
Violation classify_bad_line(std::string_view line);

// A byte below 0x20 (CR and TAB among them): JSON would take some as white space, a line may not.
bool has_control_byte(std::string_view line);

}  // namespace vouch
