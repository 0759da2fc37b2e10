// SPDX-License-Identifier: Apache-2.0
// What the listener's TLS accepts and shows: TLS 1.3 alone, one certificate, no resumption.
#pragma once

#include <string>

#include "core/result.h"

struct ssl_ctx_st;

namespace vouch::store {

// Loads the certificate chain and its key (PEM) into a server's context. Errc::invalid names the
// file that is not what it should be.
Status configure_tls(ssl_ctx_st* context, const std::string& certificate_path,
                     const std::string& key_path);

}  // namespace vouch::store
