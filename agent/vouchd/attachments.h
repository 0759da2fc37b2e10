// SPDX-License-Identifier: Apache-2.0
// Attached evidence: documents that a person signs into the chain for controls which no host can
// show (docs/formats/records.md). The ledger keeps the newest of each file name, to say when it is
// due again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/sqlite.h"
#include "proto/record.h"

namespace vouch::agent {

inline constexpr std::size_t kDocumentBytesMax = std::size_t{16} << 20;
// Where the command line leaves a document for the daemon, by its SHA-256: below the state, and as
// its owner. The daemon takes it away, and empties the directory when it starts.
inline constexpr std::string_view kIncoming = "incoming";

// When it is due again: the earlier of its expiry and its cadence. Nothing: never.
std::optional<WallSeconds> due_of(const Attachment& document);

// The record that a request of the control socket asks for (control.h); its blob is not looked at.
// Errc::invalid names the member.
Result<Attachment> parse_attachment_request(const json::Value& request, WallMs now);

class Attachments {
 public:
  explicit Attachments(sqlite::Database& database) : database_(database) {}

  // In place of the one of the same file name.
  Status set(const Attachment& document);
  Result<std::vector<Attachment>> list();  // By file name.

 private:
  sqlite::Database& database_;
};

}  // namespace vouch::agent
