// SPDX-License-Identifier: Apache-2.0
// HTTP as our handlers see it: values. The seam between store/http_server.cc, which knows sockets,
// and store/api.cc, which knows answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/problem.h"

namespace vouch::store {

struct Request {
  std::string method;
  std::string target;  // Path and query, as sent.
  std::string content_type;
  std::string content_encoding;
  std::string authorization;
  std::optional<std::uint64_t> content_length;
  std::string body;  // Empty for uploads.
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Makes the response; called on a thread of the pool.
using ResponseMaker = std::function<Response()>;
// May be called on any thread, once, also before finish() returns.
using Done = std::function<void(ResponseMaker)>;

// A body that is read piece by piece. One thread at a time, but not always the same.
class Upload {
 public:
  virtual ~Upload() = default;
  // False: nothing more is wanted; call finish().
  virtual bool feed(std::string_view bytes) = 0;
  // After the last byte, or after feed() said false. The object outlives the call of `done`.
  virtual void finish(Done done) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Called from several threads of the pool at once.
  virtual Response handle(const Request& request) = 0;
  // The answer comes when it comes (after a group commit); the default is at once.
  virtual void handle_async(const Request& request, const Done& done) {
    done([response = handle(request)] { return response; });
  }
  // For requests whose body is not to be held in memory, seen before it is read; else nullptr.
  virtual std::unique_ptr<Upload> upload(const Request& head) = 0;
};

// The answer to a problem: with WWW-Authenticate for 401, Retry-After for 429 and 503.
Response to_response(const Problem& problem);
Problem busy_problem(std::string detail);
Problem internal_problem();

}  // namespace vouch::store
