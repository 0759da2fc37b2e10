// SPDX-License-Identifier: Apache-2.0
// Public vectors that stand beside the source tree, read when they are there.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "source_dir.h"

namespace vouch {

// The file's bytes; without it the test says visibly that it was skipped.
inline std::optional<std::string> read_vector(const std::string& path) {
  std::ifstream file(std::string(VOUCH_SOURCE_DIR) + "/../shared/vectors/" + path,
                     std::ios::binary);
  if (!file) {
    WARN("skipped: no vectors at ../shared/vectors/" << path);
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace vouch
