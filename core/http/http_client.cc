// SPDX-License-Identifier: Apache-2.0
#include "core/http/http_client.h"

#include <curl/curl.h>

#include <algorithm>

namespace vouch::http {
namespace {

constexpr std::size_t kHeaderBytesMax = std::size_t{64} << 10;

struct Cleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, Cleanup>;
using List = std::unique_ptr<curl_slist, Cleanup>;

// The reply as it arrives.
struct Arrival {
  Reply reply;
  std::size_t body_bytes_max = 0;
  std::size_t header_bytes = 0;
  bool is_too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& arrival = *static_cast<Arrival*>(user);
  if (arrival.reply.body.size() + size * count > arrival.body_bytes_max) {
    arrival.is_too_large = true;
    return 0;
  }
  arrival.reply.body.append(data, size * count);
  return size * count;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& arrival = *static_cast<Arrival*>(user);
  const std::string_view line(data, size * count);
  arrival.header_bytes += line.size();
  if (arrival.header_bytes > kHeaderBytesMax) {
    arrival.is_too_large = true;
    return 0;
  }
  // Those before a new status line (100 Continue) belong to another reply.
  if (line.starts_with("HTTP/")) arrival.reply.headers.clear();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  arrival.reply.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  return line.size();
}

List make_list(const std::vector<std::string>& lines) {
  List list;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return {};
    [[maybe_unused]] auto* same = list.release();
    list.reset(longer);
  }
  return list;
}

Error error_of(CURL* curl, CURLcode code) {
  long of_proxy = 0;
  curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &of_proxy);
  if (of_proxy >= 300) {
    return {Errc::unavailable, "the proxy answered " + std::to_string(of_proxy)};
  }
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Errc::denied,
              "its certificate is not for this name, or not by a CA that is trusted (ca_file)"};
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return {Errc::denied,
              "its key is not the one that is pinned: another server, or its key "
              "was changed"};
    case CURLE_SSL_CACERT_BADFILE:
      return {Errc::invalid, "ca_file cannot be read as certificates"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::timeout, "no answer in time"};
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
      return {Errc::unavailable, "the answer is cut short"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Errc::unavailable,
              "its name cannot be resolved, or this process has no network (its unit)"};
    case CURLE_COULDNT_CONNECT:
      return {Errc::unavailable,
              "cannot connect: nobody answers there, or this process has no network (its unit)"};
    default:
      return {Errc::unavailable, curl_easy_strerror(code)};
  }
}

// Sets options until one is refused.
class Options {
 public:
  explicit Options(CURL* curl) : curl_(curl) {}
  template <class T>
  Options& set(CURLoption option, T value) {
    good_ = good_ && curl_easy_setopt(curl_, option, value) == CURLE_OK;
    return *this;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  CURL* curl_;
  bool good_ = true;
};

void set_request(Options& options, const Request& request, const std::string& user_agent) {
  options.set(CURLOPT_URL, request.url.c_str())
      .set(CURLOPT_PROTOCOLS_STR, "http,https")
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
      .set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 2L)
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()))
      .set(CURLOPT_USERAGENT, user_agent.c_str());
  if (!request.ca_file.empty()) {
    options.set(CURLOPT_CAINFO, request.ca_file.c_str())
        .set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!request.pinned_key.empty()) {
    options.set(CURLOPT_PINNEDPUBLICKEY, request.pinned_key.c_str());
  }
  if (request.body) {
    options.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDS, request.body->data())
        .set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
  }
}

}  // namespace

struct Client::State {
  Curl curl;
};

std::string Reply::header(std::string_view lower_case_name) const {
  std::string all;
  for (const auto& [name, value] : headers) {
    if (name != lower_case_name) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

Client::Client() : state_(std::make_unique<State>()) {}
Client::~Client() = default;

Result<Reply> Client::send(const Request& request) {
  if (!state_->curl) state_->curl.reset(curl_easy_init());
  CURL* curl = state_->curl.get();
  std::vector<std::string> lines = request.headers;
  lines.emplace_back("Expect:");  // Else libcurl waits for "100 Continue" before larger bodies.
  const List list = make_list(lines);
  if (curl == nullptr || !list) return Error{Errc::other, "libcurl does not start"};
  curl_easy_reset(curl);  // Keeps connections.
  const std::string user_agent = request.user_agent + "/" VOUCH_VERSION;
  Arrival arrival;
  arrival.body_bytes_max = request.reply_bytes_max;
  Options options(curl);
  set_request(options, request, user_agent);
  options.set(CURLOPT_HTTPHEADER, list.get())
      .set(CURLOPT_WRITEFUNCTION, take_body)
      .set(CURLOPT_WRITEDATA, &arrival)
      .set(CURLOPT_HEADERFUNCTION, take_header)
      .set(CURLOPT_HEADERDATA, &arrival);
  if (!options.good()) return Error{Errc::other, "libcurl refuses an option"};
  const CURLcode code = curl_easy_perform(curl);
  if (arrival.is_too_large) {
    return Error{Errc::too_large,
                 "the answer is over " + std::to_string(request.reply_bytes_max) + " bytes"};
  }
  if (code != CURLE_OK) return error_of(curl, code);
  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  arrival.reply.status = static_cast<int>(status);
  if (retry_after > 0) arrival.reply.retry_after_s = retry_after;
  return std::move(arrival.reply);
}

}  // namespace vouch::http
