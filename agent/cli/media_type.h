// SPDX-License-Identifier: Apache-2.0
// What kind of file a document is, for who reads it later.
#pragma once

#include <string_view>

namespace vouch::cli {

// By its first bytes where they are telling, else by the ending of its name; "text/plain" for
// valid UTF-8 of another name, "application/octet-stream" for the rest.
std::string_view media_type_of(std::string_view name, std::string_view bytes);

}  // namespace vouch::cli
