// SPDX-License-Identifier: Apache-2.0
// Random bytes from the kernel.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vouch {

std::string random_bytes(std::size_t count);  // getrandom(2); aborts if the kernel has none.
std::string uuid_v4();                        // RFC 4122, lowercase.
bool is_uuid_v4(std::string_view text);

}  // namespace vouch
