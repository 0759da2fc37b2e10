// SPDX-License-Identifier: Apache-2.0
// Enrolment (docs/formats/enrolment.md): the request that an agent signs with its first key, what
// the store checks in it, what the store answers, and what the agent checks in the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"
#include "proto/join_string.h"
#include "proto/policy_file.h"
#include "proto/receipt.h"

namespace vouch {
class PublicKey;
class SigningKey;
}  // namespace vouch

namespace vouch::enrolment {

inline constexpr std::string_view kPredicateType = "urn:vouch:enrolment:v1";
inline constexpr std::size_t kRequestBytesMax = 64u << 10;
inline constexpr std::size_t kResponseBytesMax = 256u << 10;

struct Predecessor {
  std::string agent, reason;
};

struct Repin {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;  // base64.
  std::int64_t epoch = 0;
  std::int64_t next_seq = 0;
  std::string prev;
};

struct Predicate {
  std::string agent;    // UUID v4.
  std::string machine;  // 32 hex digits.
  std::string key;      // SPKI DER, raw bytes (base64 in JSON).
  std::string token;    // The token's id, 16 hex digits.
  std::string mac;      // 64 hex digits.
  json::Object host;    // What the host says of itself: name, os, …
  std::optional<Predecessor> predecessor;
  std::optional<Repin> repin;
};

// HMAC-SHA256(secret, "vouch-enroll/v1" LF agent LF hex SHA-256(SPKI) LF), 64 hex digits.
std::string mac(std::string_view secret, std::string_view agent, std::string_view spki);

// Agent: the signed envelope's bytes. Fills in `key`, `token` and `mac`.
Result<std::string> make_request(Predicate predicate, const JoinString& join,
                                 const SigningKey& key);

struct Request {
  Predicate predicate;
  std::string statement;  // Hex SHA-256 of the PAE: the leaf's `statement`.
  std::string keyid;      // Of `predicate.key`.
};

// Store: strict form, one signature by the key that it names, subject `key` with that key's
// digest, predicate type. The mac is not checked here: first find the token by its id.
Result<Request> parse_request(std::string_view envelope);
// Store: the mac, in constant time.
bool mac_holds(const Request& request, std::string_view secret);

struct Response {
  std::string vkey;     // The log's verifier key.
  std::string policy;   // The policy file's text.
  std::string receipt;  // tlog-proof of the `enrol` leaf.
};
std::string write_response(const Response& response);
Result<Response> parse_response(std::string_view bytes);

// What the agent keeps from an answer that holds.
struct Enrolled {
  note::VerifierKey log;
  policy_file::Policy policy;
  std::string policy_text;
  receipt::Opened receipt;
};

// Agent: SHA-256(vkey) = PIN; the policy names exactly that log; the receipt verifies, quorum
// included; its entry is `enrol` (or `repin`, if asked) with own agent, keyid, statement and the
// policy's digest. Errc::denied for a wrong pin, else Errc::invalid.
Result<Enrolled> check_response(const Response& response, const JoinString& join,
                                const Request& request);

}  // namespace vouch::enrolment
