// SPDX-License-Identifier: Apache-2.0
#include "proto/dsse.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include "proto/limits.h"
#include "proto/signing_key.h"

namespace vouch::dsse {
namespace {

Result<std::string> get_base64(const json::Value& object, std::string_view key) {
  auto text = json::get_string(object, key);
  if (!text) return std::move(text).error();
  auto bytes = base64_decode_either(*text);
  if (!bytes) return std::move(bytes).error().in(fmt::format("member \"{}\"", key));
  return bytes;
}

}  // namespace

std::string pae(std::string_view payload_type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", payload_type.size(), payload_type, payload.size(),
                     payload);
}

std::string bundle_id(const Envelope& envelope) {
  return sha256_hex(pae(envelope.payload_type, envelope.payload));
}

Result<Envelope> parse(std::string_view bytes, std::string_view payload_type) {
  if (bytes.size() > kEnvelopeBytesMax) {
    return Error{Errc::too_large, fmt::format("envelope: over {} bytes", kEnvelopeBytesMax)};
  }
  const auto value = json::parse(bytes);
  if (!value) return Error(value.error()).in("envelope");
  if (!value->if_object()) return Error{Errc::invalid, "envelope: expected an object"};

  auto type = json::get_string(*value, "payloadType");
  if (!type) return std::move(type).error().in("envelope");
  if (*type != payload_type) {
    return Error{Errc::invalid, fmt::format("envelope: payloadType is not {}", payload_type)};
  }
  auto payload = get_base64(*value, "payload");
  if (!payload) return std::move(payload).error().in("envelope");

  const auto signatures = json::get_array(*value, "signatures");
  if (!signatures) return Error(signatures.error()).in("envelope");
  if ((*signatures)->size() != 1) {
    return Error{Errc::invalid, fmt::format("envelope: {} signatures, exactly one is allowed",
                                            (*signatures)->size())};
  }
  const auto& signature = (*signatures)->front();
  if (!signature.if_object()) return Error{Errc::invalid, "envelope: signature is no object"};
  auto sig = get_base64(signature, "sig");
  if (!sig) return std::move(sig).error().in("envelope");

  std::string keyid;
  if (const auto* member = signature.find("keyid")) {
    const auto* text = member->if_string();
    if (!text) return Error{Errc::invalid, "envelope: member \"keyid\": expected a string"};
    keyid = *text;
  }
  return Envelope{*std::move(payload), *std::move(type), std::move(keyid), *std::move(sig)};
}

std::string write(const Envelope& envelope) {
  return json::write(json::Object{
      {"payload", base64_encode(envelope.payload)},
      {"payloadType", envelope.payload_type},
      {"signatures", json::Array{json::Object{{"keyid", envelope.keyid},
                                              {"sig", base64_encode(envelope.signature)}}}}});
}

Result<Envelope> sign(const SigningKey& key, std::string payload, std::string_view payload_type) {
  auto signature = key.sign(pae(payload_type, payload));
  if (!signature) return std::move(signature).error();
  return Envelope{std::move(payload), std::string(payload_type), key.keyid(),
                  *std::move(signature)};
}

bool verify(const Envelope& envelope, const PublicKey& key) {
  return key.verify(pae(envelope.payload_type, envelope.payload), envelope.signature);
}

}  // namespace vouch::dsse
