// SPDX-License-Identifier: Apache-2.0
// The commands of vouch-store. Each takes the words after its name, writes to the standard streams,
// and returns the exit code of the program.
#pragma once

#include <string>
#include <vector>

namespace vouch::store {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;        // It was tried, and failed.
inline constexpr int kExitUsage = 64;        // EX_USAGE: the command line is wrong.
inline constexpr int kExitUnavailable = 69;  // EX_UNAVAILABLE: not a store, or in use.

int command_init(const std::vector<std::string>& words);
int command_serve(const std::vector<std::string>& words);
int command_token(const std::vector<std::string>& words);
int command_fsck(const std::vector<std::string>& words);
int command_succeed(const std::vector<std::string>& words);
int command_import(const std::vector<std::string>& words);
int command_revoke(const std::vector<std::string>& words);
int command_decommission(const std::vector<std::string>& words);
int command_drop(const std::vector<std::string>& words);
int command_alert(const std::vector<std::string>& words);
int command_hosts(const std::vector<std::string>& words);
int command_status(const std::vector<std::string>& words);

// Prints "vouch-store: <message>" to standard error and returns the code.
int fail(int code, const std::string& message);

}  // namespace vouch::store
