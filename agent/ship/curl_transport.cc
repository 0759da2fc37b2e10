// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/curl_transport.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "core/digest.h"
#include "proto/enrolment.h"

namespace vouch::ship {
namespace {

constexpr long kConnectSecondsMax = 15;
constexpr long kAnswerSecondsMax = 120;  // A POST answers when the checkpoint is out.
// A parcel may be large and the line slow; but a line that carries nothing is dead.
constexpr long kStalledBytesPerSecond = 100;
constexpr const char* kUserAgent = "vouch-ship/" VOUCH_VERSION;

template <auto Function>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Function(pointer);
  }
};
using Curl = std::unique_ptr<CURL, Deleter<curl_easy_cleanup>>;
using Headers = std::unique_ptr<curl_slist, Deleter<curl_slist_free_all>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

std::string spki_digest(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  const std::string digest =
      sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return digest;
}

std::string to_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

struct Body {
  std::string bytes;
  std::size_t bytes_max = 0;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<Body*>(user);
  if (body.bytes.size() + size * count > body.bytes_max) {
    body.too_large = true;
    return 0;
  }
  body.bytes.append(data, size * count);
  return size * count;
}

}  // namespace

struct CurlTransport::State {
  CurlOptions options;
  Curl curl;
  std::string found_ca;  // PEM of the CA that options.ca_pin names.

  Status prepare(const std::string& path);
  Result<HttpAnswer> perform(std::size_t bytes_max);
};

namespace {

// Verifies the server's chain against the one CA in it that has the pinned key, and nothing else.
int verify_pinned(X509_STORE_CTX* context, void* user) {
  auto& state = *static_cast<CurlTransport::State*>(user);
  STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(context);
  X509* pinned = nullptr;
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* candidate = sk_X509_value(sent, i);
    const bool is_ca = X509_check_ca(candidate) > 0;
    if (is_ca && constant_time_equal(spki_digest(candidate), state.options.ca_pin)) {
      pinned = candidate;
    }
  }
  const Store store(X509_STORE_new());
  const StoreContext check(X509_STORE_CTX_new());
  if (pinned == nullptr || !store || !check || X509_STORE_add_cert(store.get(), pinned) != 1 ||
      X509_STORE_CTX_init(check.get(), store.get(), X509_STORE_CTX_get0_cert(context), sent) != 1 ||
      X509_STORE_CTX_set_default(check.get(), "ssl_server") != 1) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }
  const int good = X509_verify_cert(check.get());
  X509_STORE_CTX_set_error(context, X509_STORE_CTX_get_error(check.get()));
  if (good == 1) state.found_ca = to_pem(pinned);
  return good == 1 ? 1 : 0;
}

// Replaces whatever trust libcurl has set up by what was asked for.
CURLcode set_trust(CURL*, void* ssl_context, void* user) {
  auto& state = *static_cast<CurlTransport::State*>(user);
  auto* context = static_cast<SSL_CTX*>(ssl_context);
  if (!state.options.ca_pin.empty()) {
    SSL_CTX_set_cert_verify_callback(context, verify_pinned, &state);
    return CURLE_OK;
  }
  if (state.options.ca_pem.empty()) return CURLE_OK;
  const auto& pem = state.options.ca_pem;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Pointer ca(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  Store store(X509_STORE_new());
  if (!ca || !store || X509_STORE_add_cert(store.get(), ca.get()) != 1) {
    return CURLE_SSL_CACERT_BADFILE;
  }
  SSL_CTX_set_cert_store(context, store.release());  // The context owns it now.
  return CURLE_OK;
}

// What curl says of certificates sends nobody to the right place.
std::string reason_of(CURL* handle, CURLcode code) {
  long of_proxy = 0;
  curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &of_proxy);
  if (of_proxy >= 300) {
    return "the proxy does not lead there: it answered " + std::to_string(of_proxy) +
           (of_proxy == 407 ? " (its name and password stand in HTTPS_PROXY)" : "");
  }
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "its certificate is not for this name, or not by the CA that is trusted for it "
             "(enrolment pins the store's own): another store, or someone is between";
    case CURLE_SSL_CACERT_BADFILE:
      return "the CA's certificate that enrolment left (store-ca.pem) cannot be read";
    default:
      return curl_easy_strerror(code);
  }
}

}  // namespace

Status CurlTransport::State::prepare(const std::string& path) {
  if (!curl) curl.reset(curl_easy_init());
  if (!curl) return Error{Errc::other, "libcurl does not start"};
  CURL* handle = curl.get();
  curl_easy_reset(handle);  // Keeps connections.
  const std::string url = options.url + path;
  bool good = curl_easy_setopt(handle, CURLOPT_URL, url.c_str()) == CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(handle, option, value) == CURLE_OK;
  };
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSL_CTX_FUNCTION, set_trust);
  set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSecondsMax);
  set(CURLOPT_LOW_SPEED_LIMIT, kStalledBytesPerSecond);
  set(CURLOPT_LOW_SPEED_TIME, kAnswerSecondsMax);
  set(CURLOPT_USERAGENT, kUserAgent);
  if (!good) return Error{Errc::other, "libcurl refuses an option"};
  return Ok{};
}

Result<HttpAnswer> CurlTransport::State::perform(std::size_t bytes_max) {
  CURL* handle = curl.get();
  Body body{"", bytes_max, false};
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(handle);
  if (body.too_large) return Error{Errc::too_large, options.url + ": the answer is too long"};
  if (code != CURLE_OK) {
    return Error{Errc::unavailable, options.url + ": " + reason_of(handle, code)};
  }
  HttpAnswer answer;
  long status = 0;
  curl_off_t retry_after = 0;
  const char* content_type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &content_type);
  answer.status = static_cast<int>(status);
  if (content_type != nullptr) answer.content_type = content_type;
  if (retry_after > 0) answer.retry_after_s = retry_after;
  answer.body = std::move(body.bytes);
  return answer;
}

CurlTransport::CurlTransport(CurlOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}

CurlTransport::~CurlTransport() = default;

const std::string& CurlTransport::pinned_ca() const {
  return state_->found_ca;
}

Result<HttpAnswer> CurlTransport::get(const std::string& path, std::size_t bytes_max) {
  if (auto ready = state_->prepare(path); !ready) return std::move(ready).error();
  return state_->perform(bytes_max);
}

Result<HttpAnswer> CurlTransport::post(const std::string& path, std::string_view content_type,
                                       std::string_view body, std::size_t bytes_max) {
  if (auto ready = state_->prepare(path); !ready) return std::move(ready).error();
  CURL* handle = state_->curl.get();
  const std::string type = "Content-Type: " + std::string(content_type);
  Headers headers(curl_slist_append(nullptr, type.c_str()));
  // Without this libcurl waits for "100 Continue" before every larger body.
  if (headers) headers.reset(curl_slist_append(headers.release(), "Expect:"));
  if (!headers) return Error{Errc::other, "no memory for headers"};
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  auto answer = state_->perform(bytes_max);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr);  // The list ends with this function.
  return answer;
}

Result<EnrolmentAnswer> post_enrolment(const JoinString& join, const std::string& envelope) {
  CurlTransport transport({join.url(), "", join.tls});
  auto answer =
      transport.post("/v1/enroll", "application/json", envelope, enrolment::kResponseBytesMax);
  if (!answer) return std::move(answer).error();
  return EnrolmentAnswer{answer->status, std::move(answer->body), transport.pinned_ca()};
}

}  // namespace vouch::ship
