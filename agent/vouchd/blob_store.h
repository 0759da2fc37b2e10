// SPDX-License-Identifier: Apache-2.0
// The agent's blobs: <dir>/<hex>.zst, one file per content. Written before the ledger refers to
// them, removed after it no longer does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::agent {

class BlobStore {
 public:
  // Makes the directory if it is not there.
  static Result<BlobStore> open(std::string directory);

  // Durable when it returns. A file that is there is read back first: a damaged one is replaced.
  Status put(std::string_view sha256, std::string_view bytes);
  // Errc::not_found; Errc::corrupt, or what the disk says, if the bytes are not the digest's.
  [[nodiscard]] Result<std::string> get(std::string_view sha256) const;
  [[nodiscard]] bool has(std::string_view sha256) const;
  Status remove(std::string_view sha256);
  // The digests of all files; other names are ignored.
  [[nodiscard]] Result<std::vector<std::string>> list() const;

 private:
  explicit BlobStore(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] Result<std::string> read(std::string_view sha256) const;  // Digest not checked.
  [[nodiscard]] std::string path_of(std::string_view sha256) const;
  std::string directory_;
};

}  // namespace vouch::agent
