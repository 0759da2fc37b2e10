// SPDX-License-Identifier: Apache-2.0
// Entries of the log (docs/formats/log.md): one struct per type, written and read as JCS objects.
// Entries are for ever: account ids, never names or free text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::leaf {

inline constexpr std::size_t kLeafBytesMax = 4096;

// Digests, ids of bundles and statements are 64 hex digits; `keyid` is base64 of SHA-256(SPKI);
// `key` is base64 of the SPKI; `sig` is base64.
struct Bundle {
  std::string agent;
  std::int64_t seq = 0;
  std::string id, prev, keyid, sig;
};
struct Rotate {
  std::string agent;
  std::int64_t seq = 0;
  std::int64_t epoch = 0;  // Of the new key.
  std::string keyid_old, keyid, key;
};
struct Enrol {
  std::string agent, machine, keyid, key;
  std::string statement;  // SHA-256 of the enrolment's PAE.
  std::string token;      // The token's public id, 16 hex digits.
  std::string by;
  std::string policy;  // SHA-256 of the policy file.
  std::optional<std::string> predecessor;
};
struct Repin {
  Enrol enrol;  // The same members.
  std::int64_t epoch = 0;
  std::int64_t next_seq = 0;
  std::string prev;
};
struct Revoke {
  std::string agent, keyid;
  std::int64_t from_seq = 0;
  std::string by, note;
};
struct Decommission {
  std::string agent;
  std::int64_t last_seq = 0;
  std::string by, note;
};
struct Fork {
  std::string agent;
  std::int64_t seq = 0;
  std::string first_id, other_id;  // `ids`.
  std::string sig;                 // Of the other.
};
struct Drop {
  std::string agent;
  std::int64_t seq = 0;
  std::optional<std::string> statement, by;  // Exactly one.
};
struct Overdue {
  std::string agent;
  std::int64_t seq = 0;  // The expected one.
  WallMs next_due = 0;
  std::int64_t grace_s = 0;
};
struct Recovered {
  std::string agent;
  std::int64_t seq = 0;
  std::int64_t overdue = 0;  // Leaf index.
};
struct Late {
  std::string agent;
  std::int64_t seq = 0;
  std::int64_t late_s = 0;
};
struct SignIn {
  std::string by, method;
};
struct Approval {
  std::string kind;  // "baseline", "waivers", "policy" or "config".
  std::string digest;
  std::optional<std::string> agent;  // Absent: all.
  std::string by, requester;
  std::optional<std::string> implementer;
  std::string note;
};
struct Purge {
  std::string manifest;
  std::int64_t count = 0;
  std::string rule, by;
};
struct Hold {
  std::string scope;
  bool set = false;
  std::string by, note;
};
struct Export {
  std::string scope;
  std::int64_t size = 0;
  std::string by;
};
struct Review {
  std::string campaign, item, decision, by, note;
};
struct Role {
  std::string account, role, by;
};
struct Inventory {
  std::string source, sha256;
  std::int64_t hosts = 0;
};
struct StoreStart {
  std::string version, digest;
};
struct StoreStop {
  std::string version, digest;
};
struct Succession {
  std::string origin;
  std::int64_t size = 0;
  std::string root;  // base64.
  std::string reason;
  std::optional<std::string> statement;
  std::string by;
};

using Body = std::variant<Bundle, Rotate, Enrol, Repin, Revoke, Decommission, Fork, Drop, Overdue,
                          Recovered, Late, SignIn, Approval, Purge, Hold, Export, Review, Role,
                          Inventory, StoreStart, StoreStop, Succession>;

struct Leaf {
  WallMs at = 0;  // The store's clock; never decreases along the log.
  Body body;
};

// The word that stands in `type`.
std::string_view type_name(const Body& body);

// The JCS bytes. Errc::invalid for a member that parse() would refuse, Errc::too_large over 4 KiB.
Result<std::string> write(const Leaf& leaf);
// Strict: JSON as everywhere, `v` 1, known type, every member of its form, and the bytes are the
// JCS form of what they say. Unknown members are passed over.
Result<Leaf> parse(std::string_view bytes);

}  // namespace vouch::leaf
