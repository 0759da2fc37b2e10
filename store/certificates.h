// SPDX-License-Identifier: Apache-2.0
// The store's private CA and server certificate, for sites that have none of their own: P-256, made
// by `init`. Agents pin the CA's key through the join string; the server's certificate can be
// renewed without their noticing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::store {

struct Certificate {
  std::string certificate;  // PEM.
  std::string key;          // PEM, PKCS #8: a secret.
};

// Valid for 30 years, for signing certificates only.
Result<Certificate> make_ca(std::string_view name, WallSeconds now);

// Valid for 397 days, for a server with these DNS names and IP addresses; the chain with the CA.
Result<Certificate> make_server_certificate(const Certificate& ca,
                                            const std::vector<std::string>& names, WallSeconds now);

// Of the first certificate in the PEM text.
Result<std::string> certificate_spki(std::string_view pem);  // DER.
Result<WallSeconds> certificate_expiry(std::string_view pem);

}  // namespace vouch::store
