// SPDX-License-Identifier: Apache-2.0
// The Link header (RFC 8288), by which an API says where its next page is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::http_json {

// The target of the first link whose rel holds "next", as it is written: it may be relative.
// nullopt: there is none. Errc::invalid: what is there is no list of links, so that a next page may
// have been missed.
Result<std::optional<std::string>> next_link(std::string_view header);

}  // namespace vouch::http_json
