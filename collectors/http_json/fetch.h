// SPDX-License-Identifier: Apache-2.0
// One answer of a server: asked again as often and as late as the server wishes, within bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "collectors/http_json/declarations.h"
#include "core/clock.h"
#include "core/http/http_client.h"

namespace vouch::http_json {

// The seam to the network and to time.
class Web {
 public:
  virtual ~Web() = default;
  // As http::Client::send(), within what is left of the run.
  virtual Result<http::Reply> send(const http::Request& request) = 0;
  // False, at once, if the run would be over before the wait is.
  virtual bool wait(std::int64_t seconds) = 0;
  virtual WallSeconds now() const = 0;
};

// Asks one server. The credential goes to its origin alone, and is in no error.
class Fetcher {
 public:
  Fetcher(Web& web, const ServerSpec& server, std::string secret);

  // The answer, of whatever status: after at most 3 waits that the server asked for, 2 repetitions
  // after failures that may pass, and 5 redirects within its origin. `url` becomes where it was
  // found. Errc::denied: another origin. Errc::unavailable: it wants to be asked later than this
  // run lasts, or does not answer.
  Result<http::Reply> get(std::string& url, std::size_t bytes_max);

 private:
  Result<http::Reply> ask(const std::string& url, std::size_t bytes_max);
  Result<http::Reply> ask_patiently(const std::string& url, std::size_t bytes_max);

  Web& web_;
  const ServerSpec& server_;
  std::string secret_;
  std::int64_t wait_s_ = 0;  // Before the next request.
};

// "https://host/path", for messages: a query may hold what is nobody's business.
std::string without_query(const std::string& url);

}  // namespace vouch::http_json
