// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64 (RFC 4648), strict in both directions.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

// Byte strings are std::string throughout: they go in and out of SQLite, files and OpenSSL as such.
std::string hex_encode(std::string_view bytes);         // Lowercase.
Result<std::string> hex_decode(std::string_view text);  // Refuses uppercase and odd length.
bool is_hex_digest(std::string_view text);              // 64 lowercase hex digits.

std::string base64_encode(std::string_view bytes);     // Section 4, padded.
std::string base64url_encode(std::string_view bytes);  // Section 5, not padded.
// Section 4, padded, no white space, unused bits zero; anything else is Errc::invalid.
Result<std::string> base64_decode(std::string_view text);
// Section 5, not padded, unused bits zero.
Result<std::string> base64url_decode(std::string_view text);
// What DSSE readers accept: section 4 or section 5 alphabet, never mixed; padded.
Result<std::string> base64_decode_either(std::string_view text);

}  // namespace vouch
