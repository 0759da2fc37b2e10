// SPDX-License-Identifier: Apache-2.0
// Public test vectors, which live outside the repository. Tests of proto read them when they are
// there and say "skipped" when they are not.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "source_dir.h"

namespace vouch::vectors {

inline std::filesystem::path directory() {
  return VOUCH_SOURCE_DIR "/../shared/vectors";
}

// The bytes of a vector file, or nothing and a visible warning.
inline std::optional<std::string> read(const std::filesystem::path& name) {
  const auto path = name.is_absolute() ? name : directory() / name;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    WARN("skipped: no vectors at " << path.string());
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace vouch::vectors
