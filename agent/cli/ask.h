// SPDX-License-Identifier: Apache-2.0
// Asking a running vouchd, and saying what to do if none answers.
#pragma once

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::cli {

Result<json::Value> ask_daemon(const Places& places, const json::Value& request);
// Prints the error of ask_daemon(); returns the exit code.
int fail_daemon(const Error& error, const Places& places, const Output& output);

// Who types: the name behind sudo, else the user's own. Claimed, as everything a host says.
std::string user_name();

}  // namespace vouch::cli
