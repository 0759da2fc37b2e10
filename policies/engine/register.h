// SPDX-License-Identifier: Apache-2.0
// Registers (docs/formats/packs.md): lists that the site supplies as tables, such as approved sudo
// rules or people who left, each with an owner and a date. Checks read them as `register_NAME`, and
// their freshness in `registers`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/table.h"
#include "proto/table.h"

namespace vouch::policy {

inline constexpr std::size_t kRegisterBytesMax = 8u << 20;
inline constexpr std::size_t kRegisterRowsMax = 100'000;
inline constexpr std::size_t kRegistersMax = 64;
inline constexpr std::string_view kRegisterPrefix = "register_";

struct Register {
  std::string name;  // "sudo_rules"
  std::string owner;
  std::string as_of;                       // Seconds, as text.
  std::optional<std::string> valid_until;  // None: no end.
  TableSchema schema;                      // Of the table register_<name>.
  TableBlob table;
};

// Errors are "<file_name>:<line>:<column>: <what>".
Result<Register> load_register(std::string_view text, std::string_view file_name);

// Every *.yaml of a directory; an empty path is no register. Errc::invalid: a file that is none, or
// two of one name.
Result<std::vector<Register>> load_registers(const std::string& directory);

// The input table `registers`.
Result<TableBlob> registers_table(const std::vector<Register>& registers);

}  // namespace vouch::policy
