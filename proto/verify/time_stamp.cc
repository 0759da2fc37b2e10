// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/time_stamp.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace vouch::verify {
namespace {

constexpr std::size_t kRootsMax = 256;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
void free_stack(STACK_OF(X509) * stack) {
  sk_X509_free(stack);
}
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Response = std::unique_ptr<TS_RESP, Deleter<TS_RESP_free>>;
using Verification = std::unique_ptr<TS_VERIFY_CTX, Deleter<TS_VERIFY_CTX_free>>;
using TrustStore = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using Signers = std::unique_ptr<STACK_OF(X509), Deleter<free_stack>>;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// What OpenSSL says last of why, and the queue emptied: it belongs to the thread.
std::string reason() {
  const char* data = nullptr;
  int flags = 0;
  const auto code = ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data, &flags);
  const auto* text = ERR_reason_error_string(code);
  std::string message = text == nullptr ? "unknown" : text;
  if (data != nullptr && (flags & ERR_TXT_STRING) != 0 && *data != '\0') {
    message += fmt::format(" ({})", data);
  }
  ERR_clear_error();
  return message;
}

std::optional<WallSeconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return ::timegm(&parts);
}

// MD5 and SHA-1 can be made to collide: a token over them is over more than one text.
bool is_strong(int nid) {
  return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

Status check_imprint(TS_TST_INFO* info, std::string_view text) {
  auto* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const int nid = OBJ_obj2nid(object);
  if (!is_strong(nid)) return invalid("its imprint is not SHA-256, SHA-384 or SHA-512");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &bytes, EVP_get_digestbynid(nid), nullptr) !=
      1) {
    return invalid(reason());
  }
  const auto* held = TS_MSG_IMPRINT_get_msg(imprint);
  const std::string_view ours(reinterpret_cast<const char*>(digest), bytes);
  const std::string_view theirs(reinterpret_cast<const char*>(ASN1_STRING_get0_data(held)),
                                static_cast<std::size_t>(ASN1_STRING_length(held)));
  if (ours != theirs) return invalid("it is over another text than this checkpoint");
  return Ok{};
}

Status check_signature(TS_RESP* response, WallSeconds at, const std::vector<Certificate>& roots) {
  const Verification verification(TS_VERIFY_CTX_new());
  TrustStore store(X509_STORE_new());
  if (!verification || !store) return Error{Errc::other, "out of memory"};
  for (const auto& root : roots) X509_STORE_add_cert(store.get(), root.get());
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), at);
  TS_VERIFY_CTX_set_flags(verification.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store(verification.get(), store.release());  // Freed with it.
  if (TS_RESP_verify_response(verification.get(), response) == 1) return Ok{};
  return invalid(reason());
}

// Of the certificate that signed; check_signature() has passed.
Status describe_signer(TS_RESP* response, TimeStamp& stamp) {
  const Signers signers(PKCS7_get0_signers(TS_RESP_get_token(response), nullptr, 0));
  if (!signers || sk_X509_num(signers.get()) != 1) return invalid("it has not exactly one signer");
  const auto* signer = sk_X509_value(signers.get(), 0);
  const auto until = seconds_of(X509_get0_notAfter(signer));
  if (!until) return invalid("its certificate has no readable end");
  stamp.valid_until = *until;
  const Bio text(BIO_new(BIO_s_mem()));
  if (!text) return Error{Errc::other, "out of memory"};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(signer), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto bytes = BIO_get_mem_data(text.get(), &data);
  if (bytes > 0) stamp.authority.assign(data, static_cast<std::size_t>(bytes));
  return Ok{};
}

}  // namespace

struct TimeStampRoots::Certificates {
  std::vector<Certificate> list;
};

TimeStampRoots::TimeStampRoots(std::unique_ptr<Certificates> certificates)
    : certificates_(std::move(certificates)) {}
TimeStampRoots::TimeStampRoots(TimeStampRoots&&) noexcept = default;
TimeStampRoots& TimeStampRoots::operator=(TimeStampRoots&&) noexcept = default;
TimeStampRoots::~TimeStampRoots() = default;

Result<TimeStampRoots> TimeStampRoots::from_pem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return Error{Errc::other, "out of memory"};
  auto certificates = std::make_unique<Certificates>();
  while (Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (certificates->list.size() >= kRootsMax) return invalid("too many certificates");
    certificates->list.push_back(std::move(one));
  }
  const auto code = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  const auto why = reason();
  if (!at_end) return invalid("a certificate cannot be read: " + why);
  if (certificates->list.empty()) return invalid("no \"BEGIN CERTIFICATE\" block");
  return TimeStampRoots(std::move(certificates));
}

Result<TimeStamp> check_time_stamp(std::string_view response, std::string_view text,
                                   const TimeStampRoots& roots) {
  ERR_clear_error();
  const auto* begin = reinterpret_cast<const unsigned char*>(response.data());
  const auto* end = begin;
  const Response parsed(d2i_TS_RESP(nullptr, &end, static_cast<long>(response.size())));
  if (!parsed) return invalid("no time stamp response: " + reason());
  if (end != begin + response.size()) return invalid("bytes after the response");
  auto* info = TS_RESP_get_tst_info(parsed.get());
  if (info == nullptr) return invalid("the authority gave no token");
  TimeStamp stamp;
  const auto time = seconds_of(TS_TST_INFO_get_time(info));
  if (!time) return invalid("its time cannot be read");
  stamp.time = *time;
  if (auto imprint = check_imprint(info, text); !imprint) return std::move(imprint).error();
  auto signature = check_signature(parsed.get(), stamp.time, roots.certificates().list);
  if (!signature) return std::move(signature).error();
  if (auto signer = describe_signer(parsed.get(), stamp); !signer) {
    return std::move(signer).error();
  }
  return stamp;
}

}  // namespace vouch::verify
