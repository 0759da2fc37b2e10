// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "collectors/facts/lines.h"
#include "core/digest.h"
#include "core/encoding.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kCertificatesMax = 1000;     // Of one file.
constexpr std::size_t kNamesMax = 1000;            // Of one certificate.
constexpr WallSeconds kLastSecond = 253402300799;  // The end of the year 9999.

template <auto free>
struct FreeBy {
  template <typename T>
  void operator()(T* value) const {
    free(value);
  }
};
using X509Ptr = std::unique_ptr<X509, FreeBy<X509_free>>;
using BioPtr = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;

std::string text_of(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  // Characters as UTF-8, not as escapes of their bytes.
  constexpr unsigned long kFlags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(out.get(), name, 0, kFlags);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string text_of(const ASN1_STRING* text) {
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return {data, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// Seconds since 1970, within what a time cell can hold.
std::optional<WallSeconds> seconds_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  // Not timegm(3), which reads this host's time zone for an image, too.
  using std::chrono::sys_days;
  const sys_days day = std::chrono::year(parts.tm_year + 1900) /
                       std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)) /
                       std::chrono::day(static_cast<unsigned>(parts.tm_mday));
  const WallSeconds seconds = std::chrono::sys_seconds(day).time_since_epoch().count() +
                              parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
  return std::clamp<WallSeconds>(seconds, 0, kLastSecond);
}

std::string hex_of(const ASN1_INTEGER* number) {
  const NumberPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  char* text = value ? BN_bn2hex(value.get()) : nullptr;
  const std::string out = text == nullptr ? "" : facts::lower_case(text);
  OPENSSL_free(text);
  return out;
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return "invalid";
  ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(),
              text.size());
  return text.data();
}

std::string name_of(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  const auto* text = static_cast<const ASN1_STRING*>(value);
  switch (type) {
    case GEN_DNS:
      return "DNS:" + text_of(text);
    case GEN_EMAIL:
      return "email:" + text_of(text);
    case GEN_URI:
      return "URI:" + text_of(text);
    case GEN_IPADD:
      return "IP:" + address_of(text);
    default:
      return "other";
  }
}

std::string names_of(const X509* certificate) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < std::min(count, static_cast<int>(kNamesMax)); ++i) {
    out += (out.empty() ? "" : ", ") + name_of(sk_GENERAL_NAME_value(names.get(), i));
  }
  return out;
}

void describe_key(const X509* certificate, Certificate& out) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  const int kind = key == nullptr ? NID_undef : EVP_PKEY_get_base_id(key);
  if (key == nullptr || kind == NID_undef) {
    out.key_type = "unknown";
    return;
  }
  out.key_bits = EVP_PKEY_get_bits(key);
  switch (kind) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      out.key_type = "rsa";
      return;
    case EVP_PKEY_EC:
      out.key_type = "ec";
      return;
    default:
      out.key_type = facts::lower_case(OBJ_nid2sn(kind));
  }
}

// The bytes between the lines of a PEM block.
Result<std::string> decode_base64(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') clean += c;
  }
  return base64_decode(clean);
}

Result<Certificate> parse_block(std::string_view text) {
  const auto der = decode_base64(text);
  if (!der) return der.error();
  return parse_certificate(*der);
}

}  // namespace

Result<Certificate> parse_certificate(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = at + der.size();
  const X509Ptr parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  // `BEGIN TRUSTED CERTIFICATE` has OpenSSL's own remarks after it.
  if (!parsed || at > end) return Error{Errc::invalid, "is no X.509 certificate"};
  const X509* x509 = parsed.get();
  const auto not_before = seconds_of(X509_get0_notBefore(x509));
  const auto not_after = seconds_of(X509_get0_notAfter(x509));
  if (!not_before || !not_after) return Error{Errc::invalid, "its period of validity is no time"};
  Certificate out;
  out.subject = text_of(X509_get_subject_name(x509));
  out.issuer = text_of(X509_get_issuer_name(x509));
  out.serial = hex_of(X509_get0_serialNumber(x509));
  out.not_before = *not_before;
  out.not_after = *not_after;
  describe_key(x509, out);
  out.signature_algorithm = OBJ_nid2ln(X509_get_signature_nid(x509));
  out.is_self_signed = X509_self_signed(parsed.get(), 1) == 1;
  out.is_authority = X509_check_ca(parsed.get()) == 1;
  out.names = names_of(x509);
  const std::size_t size =
      static_cast<std::size_t>(at - reinterpret_cast<const unsigned char*>(der.data()));
  out.fingerprint = sha256_hex(der.substr(0, size));
  ERR_clear_error();
  return out;
}

std::vector<Result<Certificate>> parse_certificate_file(std::string_view bytes) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  constexpr std::string_view kDashes = "-----";
  std::vector<Result<Certificate>> found;
  bool is_pem = false;
  while (found.size() < kCertificatesMax) {
    const std::size_t begin = bytes.find(kBegin);
    if (begin == std::string_view::npos) break;
    is_pem = true;
    bytes.remove_prefix(begin + kBegin.size());
    const std::string_view label = bytes.substr(0, bytes.find(kDashes));
    bytes.remove_prefix(std::min(bytes.size(), label.size() + kDashes.size()));
    if (label != "CERTIFICATE" && label != "TRUSTED CERTIFICATE" && label != "X509 CERTIFICATE") {
      continue;
    }
    const std::size_t end = bytes.find(kEnd);
    if (end == std::string_view::npos) {
      found.emplace_back(Error{Errc::invalid, "a certificate without an end"});
      break;
    }
    found.push_back(parse_block(bytes.substr(0, end)));
  }
  // A DER file begins with a SEQUENCE whose length takes two bytes or more.
  const bool is_der = !is_pem && bytes.size() > 4 && bytes[0] == '\x30' &&
                      (bytes[1] == '\x82' || bytes[1] == '\x83' || bytes[1] == '\x81');
  if (is_der) found.push_back(parse_certificate(bytes));
  return found;
}

}  // namespace vouch::drift
