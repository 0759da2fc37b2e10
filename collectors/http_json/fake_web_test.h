// SPDX-License-Identifier: Apache-2.0
// A network and a clock for tests: answers by URL, and remembers what it was asked.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "collectors/http_json/fetch.h"

namespace vouch::http_json {

class FakeWeb final : public Web {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  FakeWeb& answer(const std::string& url, int status, std::string body, Headers headers = {}) {
    http::Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.headers = std::move(headers);
    const auto retry_after = reply.header("retry-after");
    if (!retry_after.empty()) reply.retry_after_s = std::stoll(retry_after);
    answers_[url].emplace_back(std::move(reply));
    return *this;
  }
  FakeWeb& fail(const std::string& url, Error error) {
    answers_[url].emplace_back(std::move(error));
    return *this;
  }

  Result<http::Reply> send(const http::Request& request) override {
    asked.push_back(request.url);
    shown.push_back(request.headers);
    auto found = answers_.find(request.url);
    if (found == answers_.end()) return Error{Errc::unavailable, "nobody is there"};
    auto reply = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();  // The last one stays.
    if (reply && reply->body.size() > request.reply_bytes_max) {
      return Error{Errc::too_large, "too large"};
    }
    return reply;
  }
  bool wait(std::int64_t seconds) override {
    if (waited_s + seconds > left_s) return false;
    waited_s += seconds;
    return true;
  }
  WallSeconds now() const override { return 1'790'000'000 + waited_s; }

  std::vector<std::string> asked;
  std::vector<std::vector<std::string>> shown;
  std::int64_t waited_s = 0;
  std::int64_t left_s = 100;

 private:
  std::map<std::string, std::deque<Result<http::Reply>>> answers_;
};

}  // namespace vouch::http_json
