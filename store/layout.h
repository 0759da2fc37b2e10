// SPDX-License-Identifier: Apache-2.0
// The names in a store's directory (docs/formats/at-rest.md), relative to it: the same in a bucket.
// What lies under private/ is never served, exported or needed by a verifier.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vouch::store::layout {

inline constexpr std::string_view kCheckpoint = "checkpoint";
inline constexpr std::string_view kLogVkey = "log.vkey";
inline constexpr std::string_view kDatabase = "store.db";
inline constexpr std::string_view kLock = "lock";        // Held by whoever appends to the log.
inline constexpr std::string_view kTemporary = "tmp";    // Emptied at start.
inline constexpr std::string_view kDamaged = "damaged";  // What fsck set aside.
inline constexpr std::string_view kAlerts = "alerts";    // What people are told; no evidence.
inline constexpr std::string_view kStatements = "statements";
inline constexpr std::string_view kSettings = "settings.json";  // Written by init.
inline constexpr std::string_view kLogKey = "private/log.pem";
inline constexpr std::string_view kCaKey = "private/ca.pem";
inline constexpr std::string_view kServerKey = "private/server.pem";
inline constexpr std::string_view kCaCertificate = "tls/ca.crt";
inline constexpr std::string_view kServerCertificate = "tls/server.crt";  // With its chain.

std::string checkpoint_path(std::uint64_t size);                    // checkpoints/<size>
std::string bundle_path(std::string_view agent, std::int64_t seq);  // bundles/…/<seq>.json.zst
std::string blob_path(std::string_view sha256);                     // blobs/sha256/<hh>/<hex>.zst
std::string fork_path(std::string_view agent, std::int64_t seq, std::string_view bundle_id);
std::string succession_path(std::string_view log);    // successions/<log>: the note, if any
std::string statement_path(std::string_view digest);  // statements/<digest>.json

}  // namespace vouch::store::layout
