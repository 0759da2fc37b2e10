// SPDX-License-Identifier: Apache-2.0
// Asking a running vouchd, and saying what to do if none answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::cli {

Result<json::Value> ask_daemon(const Places& places, const json::Value& request);
// Prints the error of ask_daemon(); returns the exit code.
int fail_daemon(const Error& error, const Places& places, const Output& output);

// A member of an object as text: a string as it is, else JSON; "" if it is not there.
std::string cell(const json::Value& row, std::string_view name);
// A command that lists what the daemon has: asks for `name`, and prints the answer's member of that
// name, with these columns; digests are cut short. Returns the exit code.
struct Listing {
  std::string_view name;
  std::string_view if_empty;
  std::vector<std::string> columns;
};
int run_list(const Arguments& arguments, const Listing& listing, Output& output);

// Who types: the name behind sudo, else the user's own. Claimed, as everything a host says.
std::string user_name();

}  // namespace vouch::cli
