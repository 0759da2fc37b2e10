// SPDX-License-Identifier: Apache-2.0
// The agent's signing keys, one per epoch: <dir>/<epoch>.pem, mode 0600. A key is erased once every
// bundle that it signed is acknowledged, so that root today cannot forge an earlier epoch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "proto/signing_key.h"

namespace vouch::agent {

class EpochKeys {
 public:
  static Result<EpochKeys> open(std::string directory);

  [[nodiscard]] Result<SigningKey> load(std::int64_t epoch) const;
  [[nodiscard]] bool has(std::int64_t epoch) const;
  // Generates and writes it durably, in place of one that a crash left before it was ever used.
  Result<SigningKey> make(std::int64_t epoch);
  // Overwrites, then unlinks. What a file system or an SSD keeps elsewhere is out of reach.
  Status erase(std::int64_t epoch);
  [[nodiscard]] Result<std::vector<std::int64_t>> list() const;  // Ascending.

 private:
  explicit EpochKeys(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::string path_of(std::int64_t epoch) const;
  std::string directory_;
};

}  // namespace vouch::agent
