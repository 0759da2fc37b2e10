// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/fetch.h"

#include <fmt/format.h>

#include "collectors/http_json/pace.h"
#include "core/http/url.h"

namespace vouch::http_json {
namespace {

constexpr int kWaitsMax = 3;
constexpr int kRepetitionsMax = 2;
constexpr int kRedirectsMax = 5;
constexpr std::chrono::seconds kRequestTimeout{30};
constexpr std::size_t kShortSecretBytes = 8;  // So short a text may be in an answer by chance.

bool may_pass(const Result<http::Reply>& reply) {
  if (!reply) {
    return reply.error().code == Errc::unavailable || reply.error().code == Errc::timeout;
  }
  return reply->status == 500 || (reply->status >= 502 && reply->status <= 504);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Fetcher::Fetcher(Web& web, const ServerSpec& server, std::string secret)
    : web_(web), server_(server), secret_(std::move(secret)) {}

Result<http::Reply> Fetcher::ask(const std::string& url, std::size_t bytes_max) {
  http::Request request;
  request.url = url;
  request.ca_file = server_.ca_file;
  request.pinned_key = server_.pinned_key;
  request.user_agent = "vouch-http-json";
  request.headers = server_.headers;
  if (!secret_.empty()) request.headers.push_back(server_.credential_header + " " + secret_);
  request.timeout = kRequestTimeout;
  request.reply_bytes_max = bytes_max;
  auto reply = web_.send(request);
  if (reply && secret_.size() >= kShortSecretBytes &&
      reply->body.find(secret_) != std::string::npos) {
    return Error{Errc::invalid, "the answer repeats the credential, and is not looked at"};
  }
  return reply;
}

Result<http::Reply> Fetcher::ask_patiently(const std::string& url, std::size_t bytes_max) {
  int repetitions = 0;
  for (int waits = 0;;) {
    if (wait_s_ > 0 && !web_.wait(wait_s_)) {
      return Error{
          Errc::unavailable,
          fmt::format("its rate limit: it wants to be asked again in {} s, and the run ends "
                      "before (deadline)",
                      wait_s_)};
    }
    wait_s_ = 0;
    auto reply = ask(url, bytes_max);
    const Pace pace = reply ? pace_of(*reply, web_.now()) : Pace{};
    wait_s_ = pace.wait_s;
    if (pace.is_refused) {
      if (waits++ < kWaitsMax) continue;
      return Error{Errc::unavailable, fmt::format("its rate limit: it still answers {} after {} "
                                                  "waits",
                                                  reply->status, kWaitsMax)};
    }
    if (!may_pass(reply) || repetitions == kRepetitionsMax) return reply;
    if (!web_.wait(++repetitions)) return reply;
  }
}

Result<http::Reply> Fetcher::get(std::string& url, std::size_t bytes_max) {
  for (int redirects = 0;; ++redirects) {
    const auto origin = http::origin_of(url);
    if (!origin || *origin != server_.origin) {
      return Error{Errc::denied, fmt::format("leads to {}, which is not {}: not followed",
                                             without_query(url), server_.origin)};
    }
    auto reply = ask_patiently(url, bytes_max);
    if (!reply || !is_redirect(reply->status)) return reply;
    auto target = http::resolve_url(url, reply->header("location"));
    if (!target) return Error{Errc::invalid, "redirects to nowhere"};
    if (redirects == kRedirectsMax) return Error{Errc::invalid, "redirects again and again"};
    url = *std::move(target);
  }
}

std::string without_query(const std::string& url) {
  return url.substr(0, url.find_first_of("?#"));
}

}  // namespace vouch::http_json
