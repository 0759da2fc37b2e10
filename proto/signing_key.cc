// SPDX-License-Identifier: Apache-2.0
#include "proto/signing_key.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/encoding.h"
#include "core/file.h"

namespace vouch {
namespace {

constexpr std::size_t kPemBytesMax = 16 * 1024;
constexpr mode_t kPrivateMode = 0600;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

// Never asks for a passphrase: an encrypted key is refused.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<std::string> spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return Error{Errc::other, "signing key: cannot encode the public half"};
  std::string spki(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return spki;
}

// The seed in the PEM of an Ed25519 key; empty: it is another kind of key, or another way to write
// one. OpenSSL's reader tries every kind that there is: two milliseconds at each seal.
std::string ed25519_seed(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----\n";
  constexpr std::string_view kEnd = "\n-----END PRIVATE KEY-----\n";
  // PKCS#8 (RFC 8410, section 7): these bytes, then the 32 of the seed.
  constexpr std::string_view kPrefix(
      "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  if (!pem.starts_with(kBegin) || !pem.ends_with(kEnd)) return {};
  pem.remove_prefix(kBegin.size());
  pem.remove_suffix(std::min(kEnd.size(), pem.size()));
  auto der = base64_decode(pem);
  if (!der) return {};
  std::string seed;
  if (der->size() == kPrefix.size() + 32 && der->starts_with(kPrefix)) {
    seed = der->substr(kPrefix.size());
  }
  OPENSSL_cleanse(der->data(), der->size());
  return seed;
}

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<SigningKey> SigningKey::wrap(Handle key) {
  if (!key) return Error{Errc::invalid, "signing key: cannot be read"};
  auto spki = spki_of(key.get());
  if (!spki) return std::move(spki).error();
  auto public_key = PublicKey::from_spki(*spki);
  if (!public_key) return std::move(public_key).error().in("signing key");
  return SigningKey(std::move(key), *std::move(public_key));
}

Result<SigningKey> SigningKey::generate(KeyType type) {
  Handle key(type == KeyType::ed25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return Error{Errc::other, "signing key: OpenSSL cannot generate one"};
  return wrap(std::move(key));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return Error{Errc::too_large, "signing key: PEM over 16 KiB"};
  if (auto seed = ed25519_seed(pem); !seed.empty()) {
    auto key = from_ed25519_seed(seed);
    OPENSSL_cleanse(seed.data(), seed.size());
    return key;
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  if (!bio) return Error{Errc::other, "signing key: out of memory"};
  return wrap(Handle(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)));
}

Result<SigningKey> SigningKey::from_ed25519_seed(std::string_view seed) {
  return wrap(Handle(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()),
      seed.size())));
}

Result<SigningKey> SigningKey::load(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return errno_error("open " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_error("stat " + path, errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + ": not a regular file"};
  if ((status.st_mode & 077) != 0) {
    return Error{Errc::denied, path + ": others can access this key; chmod 600 it"};
  }
  auto pem = read_all(file.get(), kPemBytesMax, path);
  if (!pem) return std::move(pem).error();
  auto key = from_pem(*pem);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (!key) return std::move(key).error().in(path);
  return key;
}

Status SigningKey::save(const std::string& path) const {
  // Memory from the secure heap (if there is one) is wiped when the BIO goes.
  const Bio bio(BIO_new(BIO_s_secmem()), BIO_free);
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return Error{Errc::other, "signing key: cannot encode it"};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  const auto bytes = static_cast<std::size_t>(size);
  auto saved = write_file_durable(path, std::string_view(text, bytes), kPrivateMode);
  OPENSSL_cleanse(text, bytes);
  return saved;
}

Result<std::string> SigningKey::sign(std::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const EVP_MD* const hash = public_key_.type() == KeyType::ed25519 ? nullptr : EVP_sha256();
  const auto* const data = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, message.size()) != 1) {
    return Error{Errc::other, "sign: OpenSSL refuses"};
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                     message.size()) != 1) {
    return Error{Errc::other, "sign: OpenSSL refuses"};
  }
  signature.resize(size);
  return signature;
}

}  // namespace vouch
