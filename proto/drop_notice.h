// SPDX-License-Identifier: Apache-2.0
// Drop notices (docs/formats/drop-notice.md): an agent says, signed with the key of the bundle's
// epoch, which blobs of that bundle are lost, so that the store may take it without them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proto/dsse.h"
#include "proto/statement.h"

namespace vouch {
class PublicKey;
class SigningKey;
}  // namespace vouch

namespace vouch::drop_notice {

inline constexpr std::string_view kPredicateType = "urn:vouch:drop-notice:v1";
inline constexpr std::size_t kNoticeBytesMax = 512u << 10;  // The envelope.

struct Notice {
  std::string agent;
  std::int64_t seq = 0;
  std::vector<Subject> lost;  // As the bundle's subject names them: sorted by name, 1 to 1,024.
  std::string by;             // Who ordered it; "vouchd" if nobody did.
  std::string reason;         // For people, at most 1 KiB.

  bool operator==(const Notice&) const = default;
};

// The envelope's bytes. Errc::invalid if parse() would refuse them.
Result<std::string> make(const Notice& notice, const SigningKey& key);

struct Opened {
  Notice notice;
  dsse::Envelope envelope;
  std::string statement;  // Hex SHA-256 of the PAE: `statement` of the `drop` leaf.
};
// The form alone: Errc::invalid or too_large, "<JSON pointer>: <reason>". Whose key must have
// signed follows from agent and seq, which the caller looks up, and then asks holds().
Result<Opened> parse(std::string_view envelope);
[[nodiscard]] bool holds(const Opened& opened, const PublicKey& key);

}  // namespace vouch::drop_notice
