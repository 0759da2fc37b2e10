// SPDX-License-Identifier: Apache-2.0
// A collector's page, made of its manifest: docs/collectors/NAME.md, and what `vouch collectors
// NAME` prints.
#pragma once

#include <cstdint>
#include <string>

#include "proto/manifest.h"

namespace vouch::cli {

std::string collector_page(const Manifest& manifest);  // Markdown.

std::string duration_text(std::int64_t seconds);  // "5 min", "1 h", "90 s"
// What its tables need beyond a plain user, shortly: "CAP_DAC_READ_SEARCH, network"; "-".
std::string needs_text(const Manifest& manifest);

}  // namespace vouch::cli
