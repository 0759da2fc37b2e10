// SPDX-License-Identifier: Apache-2.0
// Entries for systemd's journal, in its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram each.
#pragma once

#include <string>
#include <string_view>

namespace vouch::journal {

inline constexpr const char* kSocket = "/run/systemd/journal/socket";

// `NAME=value`, or with its length where the value has several lines. `name`: A to Z, 0 to 9, "_",
// not at its front, at most 64 bytes.
void append_field(std::string& entry, std::string_view name, std::string_view value);

// Whether standard error leads to the journal: JOURNAL_STREAM names its device and inode
// (systemd.exec(5)). False if it was redirected since.
bool takes_stderr();

// Never waits. False if nobody has taken the entry.
bool send(std::string_view entry, const char* socket = kSocket);

}  // namespace vouch::journal
