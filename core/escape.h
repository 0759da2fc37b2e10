// SPDX-License-Identifier: Apache-2.0
// The text form of arbitrary bytes (docs/formats/tables.md, column type `bytes`).
#pragma once

#include <string>
#include <string_view>

namespace vouch {

// Valid UTF-8 (but no C0, DEL, C1 control) as it is, `\` as `\\`, all else `\xhh` per byte.
std::string escape_bytes(std::string_view bytes);

// For text columns, error messages and object names: valid UTF-8 without U+0000 as it is; else
// escape_bytes(), so that a host with a broken name is a fact and no protocol error.
std::string escape_invalid(std::string_view text);

}  // namespace vouch
