// SPDX-License-Identifier: Apache-2.0
// URLs as the one who asks them (libcurl) understands them: where a reference leads, and whether
// two lead to the same server.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::http {

// The absolute URL of `reference` (absolute, "//host/x", "/x", "x", "?q") in a page at `base`.
// Errc::invalid: no URL.
Result<std::string> resolve_url(const std::string& base, const std::string& reference);

// "https://host:443": scheme, host in lower case, port. Errc::invalid: no http or https URL, or one
// with user or password in it.
Result<std::string> origin_of(const std::string& url);

// True for 127.0.0.0/8, ::1 and localhost: what is sent there leaves no network card.
bool is_loopback(const std::string& url);

// Every byte but A-Z a-z 0-9 - . _ ~ as %XX.
std::string percent_encode(std::string_view text);

}  // namespace vouch::http
