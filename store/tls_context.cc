// SPDX-License-Identifier: Apache-2.0
#include "store/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>

namespace vouch::store {

Status configure_tls(ssl_ctx_st* context, const std::string& certificate_path,
                     const std::string& key_path) {
  for (const auto& path : {certificate_path, key_path}) {
    if (::access(path.c_str(), R_OK) != 0) return errno_error("open " + path, errno);
  }
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_path.c_str()) != 1) {
    ERR_clear_error();
    return Error{Errc::invalid, certificate_path + ": not a certificate chain in PEM"};
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_path.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Error{Errc::invalid, key_path + ": not the private key of " + certificate_path};
  }
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // No resumption: its tickets would be one more secret to rotate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return Ok{};
}

}  // namespace vouch::store
