// SPDX-License-Identifier: Apache-2.0
// An alert as a mail (RFC 5322, MIME): plain text, CRLF lines. Nothing of an alert can become a
// header of its own.
#pragma once

#include <string>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

// `now` is its Date. The Message-ID is the alert's sender and number: a copy that comes twice has
// the same.
std::string mail_message(const Alert& alert, const ChannelSpec& spec, WallMs now);

// "Sat, 21 Nov 2026 19:30:02 +0000"
std::string mail_date(WallMs ms);
// As a header's value: as it is if it is printable ASCII, else in RFC 2047 words of UTF-8.
std::string mail_header_text(std::string_view text);

}  // namespace vouch::alerts
