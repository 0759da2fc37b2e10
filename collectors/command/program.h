// SPDX-License-Identifier: Apache-2.0
// The program of a command: which file it is, and one run of it.
#pragma once

#include <chrono>
#include <string>

#include "collectors/command/declarations.h"
#include "core/file_digest.h"
#include "core/root.h"

namespace vouch::command {

struct Program {
  std::string sha256;  // 64 hex digits.
  FileMark mark;       // Of the file that was read for it.
};

// Errc::denied: others than root and this user can change it, or a directory above.
Result<Program> look_at_program(const Root& root, const std::string& path);

// Runs the file that was looked at, and no other, and returns what it printed; empty where its exit
// means that there is nothing. Whatever else it did is an error with what it says of it: its first
// line of stderr, without secrets.
Result<std::string> run_program(const Root& root, const CommandSpec& spec, const Program& program,
                                std::chrono::milliseconds deadline);

}  // namespace vouch::command
