// SPDX-License-Identifier: Apache-2.0
// The seam to the network: requests to one store. Implementations need not be thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::ship {

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::optional<std::int64_t> retry_after_s;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Any answer of the server is a value. Errc::unavailable: there was none (no connection, no
  // name, timeout, TLS that does not hold). Errc::too_large: an answer of more than `bytes_max`.
  virtual Result<HttpAnswer> get(const std::string& path, std::size_t bytes_max) = 0;
  virtual Result<HttpAnswer> post(const std::string& path, std::string_view content_type,
                                  std::string_view body, std::size_t bytes_max) = 0;
};

}  // namespace vouch::ship
