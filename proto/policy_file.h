// SPDX-License-Identifier: Apache-2.0
// The policy file, C2SP tlog-policy (docs/formats/receipt.md): which log is trusted, which
// witnesses there are, and how many of them must have signed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proto/note.h"

namespace vouch::policy_file {

inline constexpr std::size_t kPolicyBytesMax = 64u << 10;

struct Log {
  note::VerifierKey key;
  std::string url;  // Empty if not given.
};

struct Witness {
  std::string name;  // In this file; the key has its own.
  note::VerifierKey key;
  std::string url;
};

struct Group {
  std::string name;
  std::size_t threshold = 0;         // Of the members; `any` is 1, `all` their number.
  std::vector<std::string> members;  // Witnesses and groups defined above.
};

struct Policy {
  std::vector<Log> logs;
  std::vector<Witness> witnesses;
  std::vector<Group> groups;
  std::string quorum;  // A name, or "none".

  // The keys of all witnesses, for checkpoint::open().
  [[nodiscard]] std::vector<note::VerifierKey> witness_keys() const;
  // The one log of a policy that an agent or a verifier uses; nullptr if there is not exactly one.
  [[nodiscard]] const Log* only_log() const;
};

// Errors are "line <n>: <what is wrong>".
Result<Policy> parse(std::string_view text);
std::string write(const Policy& policy);

// True if the witnesses with good cosignatures satisfy the quorum ("none" always is).
bool quorum_met(const Policy& policy, const std::vector<note::Verified>& witnesses);

}  // namespace vouch::policy_file
