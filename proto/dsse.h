// SPDX-License-Identifier: Apache-2.0
// DSSE v1.0.2 envelopes with exactly one signature (docs/formats/bundle.md). The envelope's JSON is
// malleable; what a bundle *is* follows from its PAE alone. Decode once: the payload that verify()
// checked is the payload to parse.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/keys.h"

namespace vouch {
class SigningKey;
}

namespace vouch::dsse {

inline constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

struct Envelope {
  std::string payload;  // Decoded bytes.
  std::string payload_type;
  std::string keyid;      // Unauthenticated: it only picks a candidate key. May be empty.
  std::string signature;  // Decoded bytes.
};

// "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body: what is signed and hashed.
std::string pae(std::string_view payload_type, std::string_view payload);
// hex SHA-256 of the PAE: bundle_id, and `prev` of the next bundle.
std::string bundle_id(const Envelope& envelope);

// Refuses (Errc::invalid; Errc::too_large above kEnvelopeBytesMax): not strict JSON, no or several
// signatures, another payload type than `payload_type`, bad or mixed base64. Ignores unknown
// members.
Result<Envelope> parse(std::string_view bytes, std::string_view payload_type = kPayloadType);
// The canonical form (RFC 8785), which our writers make.
std::string write(const Envelope& envelope);

Result<Envelope> sign(const SigningKey& key, std::string payload,
                      std::string_view payload_type = kPayloadType);
// The signature is over the PAE, by exactly this key; `keyid` plays no part.
[[nodiscard]] bool verify(const Envelope& envelope, const PublicKey& key);

}  // namespace vouch::dsse
