// SPDX-License-Identifier: Apache-2.0
// Which commands there are, and what they print: the section `commands` of the site's file.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collectors/command/output.h"
#include "collectors/sdk/declared.h"

namespace vouch::command {

// What the end of a command means for its table.
enum class Meaning { rows, nothing, not_supported, not_found, denied, failed };

struct CommandSpec {
  std::shared_ptr<const sdk::DeclaredTable> table;  // Shared with the table of the manifest.
  std::vector<std::string> argv;
  OutputForm form;
  std::chrono::seconds timeout{30};
  std::map<int, Meaning> exits{{0, Meaning::rows}};  // What is not here has failed.
};

// Errors name file, line and column.
Result<std::vector<CommandSpec>> read_commands(const sdk::Declarations& declarations);

}  // namespace vouch::command
