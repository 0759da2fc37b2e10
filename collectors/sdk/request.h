// SPDX-License-Identifier: Apache-2.0
// The request line of the collector protocol, parsed strictly.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/sdk/manifest.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::sdk {

struct Request {
  std::vector<bool> wanted;  // By index in Collector::tables.
  bool gaps_wanted = false;
  json::Object options;  // Declared ones, of the declared type.
  std::string root = "/";
  std::chrono::milliseconds deadline{0};
  std::map<std::string, std::string, std::less<>> tokens;  // Table → cache token.
  std::string cache_dir;                                   // Empty: none.
};

inline constexpr std::size_t kRequestBytesMax = 8 << 20;  // 64 tokens of 64 KiB, escaped.

// Unknown members are ignored. Errc::invalid, naming the member: no JSON object, another protocol,
// an unknown or repeated table, an unknown option or one of another type, a root that is not
// absolute, a deadline that is not positive.
Result<Request> parse_request(const Collector& collector, std::string_view line);

// The options of a request, or of the line that --describe is given, without a look at the tables.
Result<json::Object> parse_options(const Collector& collector, std::string_view line);

}  // namespace vouch::sdk
