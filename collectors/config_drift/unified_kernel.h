// SPDX-License-Identifier: Apache-2.0
// Unified kernel images: an EFI program with the kernel and, in its section .cmdline, the command
// line that it starts with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/result.h"

namespace vouch::drift {

// Reads `size` bytes at `offset`; fewer at the end of the file.
using ReadAt = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

// The text of .cmdline; nothing where the image has none: then the boot loader gives it one.
// Errc::invalid for what is no EFI program.
Result<std::optional<std::string>> unified_kernel_command_line(const ReadAt& read_at);

}  // namespace vouch::drift
