// SPDX-License-Identifier: Apache-2.0
#include "store/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "core/random.h"

namespace vouch::store {
namespace {

constexpr WallSeconds kDay = 86400;
constexpr WallSeconds kCaLifetime = 30 * 365 * kDay;
constexpr WallSeconds kServerLifetime = 397 * kDay;
constexpr WallSeconds kBackdated = kDay;  // For hosts whose clocks are behind.
constexpr long kVersion3 = 2;
constexpr std::size_t kSerialBytes = 19;

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

Error openssl_error(std::string_view what) {
  return {Errc::other, std::string(what) + ": openssl failed"};
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<std::string> certificate_pem(X509* certificate) {
  const Handle<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1)
    return openssl_error("write certificate");
  return bio_text(bio.get());
}

Result<std::string> key_pem(EVP_PKEY* key) {
  const Handle<BIO> bio(BIO_new(BIO_s_secmem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error("write key");
  }
  return bio_text(bio.get());
}

Handle<BIO> memory_bio(std::string_view bytes) {
  return Handle<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Result<Handle<X509>> read_certificate(std::string_view pem) {
  const auto bio = memory_bio(pem);
  Handle<X509> certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return Error{Errc::invalid, "not a certificate in PEM"};
  return certificate;
}

Status add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Handle<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return openssl_error("certificate extension");
  }
  return Ok{};
}

// Serial, times, subject and key; issuer, extensions and signature are the caller's.
Result<Handle<X509>> new_certificate(EVP_PKEY* key, std::string_view name, WallSeconds now,
                                     WallSeconds lifetime) {
  Handle<X509> certificate(X509_new());
  if (!certificate) return openssl_error("certificate");
  auto* x = certificate.get();
  X509_set_version(x, kVersion3);
  std::string serial = random_bytes(kSerialBytes);
  // Positive, and without a leading zero byte, which DER forbids.
  serial[0] = static_cast<char>((serial[0] & 0x7f) | 0x40);
  ASN1_STRING_set(X509_get_serialNumber(x), serial.data(), static_cast<int>(serial.size()));
  ASN1_TIME_set(X509_getm_notBefore(x), static_cast<std::time_t>(now - kBackdated));
  ASN1_TIME_set(X509_getm_notAfter(x), static_cast<std::time_t>(now + lifetime));
  const std::string common_name(name.substr(0, 64));  // The bound of X.520.
  const bool named =
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) == 1;
  if (!named || X509_set_pubkey(x, key) != 1) return openssl_error("certificate");
  return certificate;
}

bool is_ip_address(const std::string& name) {
  unsigned char buffer[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, name.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), buffer) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) {
    if (!list.empty()) list += ",";
    list += (is_ip_address(name) ? "IP:" : "DNS:") + name;
  }
  return list;
}

}  // namespace

Result<Certificate> make_ca(std::string_view name, WallSeconds now) {
  const Handle<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("make key");
  auto certificate =
      new_certificate(key.get(), "Vouch CA of " + std::string(name), now, kCaLifetime);
  if (!certificate) return std::move(certificate).error();
  auto* x = certificate->get();
  X509_set_issuer_name(x, X509_get_subject_name(x));
  struct Extension {
    int nid;
    const char* value;
  };
  for (const auto& [nid, value] : {Extension{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   Extension{NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   Extension{NID_subject_key_identifier, "hash"}}) {
    auto added = add_extension(x, x, nid, value);
    if (!added) return std::move(added).error();
  }
  if (X509_sign(x, key.get(), EVP_sha256()) == 0) return openssl_error("sign certificate");
  auto pem = certificate_pem(x);
  if (!pem) return std::move(pem).error();
  auto secret = key_pem(key.get());
  if (!secret) return std::move(secret).error();
  return Certificate{*std::move(pem), *std::move(secret)};
}

Result<Certificate> make_server_certificate(const Certificate& ca,
                                            const std::vector<std::string>& names,
                                            WallSeconds now) {
  auto issuer = read_certificate(ca.certificate);
  if (!issuer) return std::move(issuer).error().in("CA");
  const auto bio = memory_bio(ca.key);
  const Handle<EVP_PKEY> issuer_key(
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!issuer_key) return Error{Errc::invalid, "CA: not a private key in PEM"};
  const Handle<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("make key");
  auto certificate = new_certificate(key.get(), names.front(), now, kServerLifetime);
  if (!certificate) return std::move(certificate).error();
  auto* x = certificate->get();
  X509_set_issuer_name(x, X509_get_subject_name(issuer->get()));
  struct Extension {
    int nid;
    std::string value;
  };
  const std::vector<Extension> extensions{{NID_basic_constraints, "critical,CA:FALSE"},
                                          {NID_key_usage, "critical,digitalSignature"},
                                          {NID_ext_key_usage, "serverAuth"},
                                          {NID_authority_key_identifier, "keyid"},
                                          {NID_subject_alt_name, alternative_names(names)}};
  for (const auto& [nid, value] : extensions) {
    auto added = add_extension(x, issuer->get(), nid, value);
    if (!added) return std::move(added).error();
  }
  if (X509_sign(x, issuer_key.get(), EVP_sha256()) == 0) return openssl_error("sign certificate");
  auto pem = certificate_pem(x);
  if (!pem) return std::move(pem).error();
  auto secret = key_pem(key.get());
  if (!secret) return std::move(secret).error();
  return Certificate{*pem + ca.certificate, *std::move(secret)};
}

Result<std::string> certificate_spki(std::string_view pem) {
  auto certificate = read_certificate(pem);
  if (!certificate) return std::move(certificate).error();
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->get()), &der);
  const Handle<unsigned char> owner(der);
  if (size <= 0) return openssl_error("read certificate");
  return std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
}

Result<WallSeconds> certificate_expiry(std::string_view pem) {
  auto certificate = read_certificate(pem);
  if (!certificate) return std::move(certificate).error();
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &time) != 1) {
    return openssl_error("read certificate");
  }
  return WallSeconds{::timegm(&time)};
}

}  // namespace vouch::store
