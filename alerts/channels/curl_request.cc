// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/curl_request.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace vouch::alerts {
namespace {

constexpr std::size_t kReplyBytesMax = 1u << 20;  // It is not read; but it has an end.
constexpr const char* kUserAgent = "vouch-ship/" VOUCH_VERSION;

struct Cleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, Cleanup>;
using List = std::unique_ptr<curl_slist, Cleanup>;

std::size_t drop_reply(char*, std::size_t size, std::size_t count, void* user) {
  auto& seen = *static_cast<std::size_t*>(user);
  seen += size * count;
  return seen > kReplyBytesMax ? 0 : size * count;
}

std::size_t give_message(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto& rest = *static_cast<std::string_view*>(user);
  const std::size_t bytes = std::min(size * count, rest.size());
  std::memcpy(buffer, rest.data(), bytes);
  rest.remove_prefix(bytes);
  return bytes;
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

std::string reason_of(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "its certificate is not for this name, or not by a CA that is trusted (ca_file)";
    case CURLE_SSL_CACERT_BADFILE:
      return "ca_file cannot be read as certificates";
    case CURLE_USE_SSL_FAILED:
      return "the mail server does not offer TLS (STARTTLS)";
    case CURLE_LOGIN_DENIED:
      return "the mail server refuses user and password";
    case CURLE_OPERATION_TIMEDOUT:
      return "no answer in time";
    default:
      return curl_easy_strerror(code);
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

void set_common(Options& options, const std::string& url, const std::string& ca_file,
                std::int64_t timeout_s, std::size_t& seen) {
  options.set(CURLOPT_URL, url.c_str())
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
      .set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 2L)
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_TIMEOUT, static_cast<long>(timeout_s))
      .set(CURLOPT_USERAGENT, kUserAgent)
      .set(CURLOPT_WRITEFUNCTION, drop_reply)
      .set(CURLOPT_WRITEDATA, &seen);
  if (ca_file.empty()) return;
  options.set(CURLOPT_CAINFO, ca_file.c_str())
      .set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

}  // namespace

Result<http::Reply> http_post(const HttpPost& post) {
  http::Request request;
  request.url = post.url;
  request.ca_file = post.ca_file;
  request.user_agent = "vouch-ship";
  request.headers = post.headers;
  request.body = post.body;
  request.timeout = std::chrono::seconds(post.timeout_s);
  return http::Client().send(request);
}

Status send_mail(const MailTransfer& mail) {
  const Curl curl(curl_easy_init());
  const List recipients = make_list(mail.to);
  if (!curl || !recipients) return Error{Errc::other, "libcurl does not start"};
  std::size_t seen = 0;
  std::string_view rest = mail.message;
  Options options(curl.get());
  set_common(options, mail.url, mail.ca_file, mail.timeout_s, seen);
  const auto use_tls = mail.tls ? CURLUSESSL_ALL : CURLUSESSL_NONE;
  options.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
      .set(CURLOPT_USE_SSL, static_cast<long>(use_tls))
      .set(CURLOPT_MAIL_FROM, mail.from.c_str())
      .set(CURLOPT_MAIL_RCPT, recipients.get())
      .set(CURLOPT_UPLOAD, 1L)
      .set(CURLOPT_READFUNCTION, give_message)
      .set(CURLOPT_READDATA, &rest)
      .set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
  if (!mail.user.empty()) {
    options.set(CURLOPT_USERNAME, mail.user.c_str()).set(CURLOPT_PASSWORD, mail.password.c_str());
  }
  if (!options.good()) return Error{Errc::other, "libcurl refuses an option"};
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) return Ok{};
  long answer = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer);
  std::string why = reason_of(code);
  if (answer >= 400) why += " (the mail server answered " + std::to_string(answer) + ")";
  return Error{Errc::unavailable, why};
}

}  // namespace vouch::alerts
