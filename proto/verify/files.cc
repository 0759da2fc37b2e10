// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kDirectoryEntriesMax = std::size_t{1} << 24;

}  // namespace

Result<std::string> DirectoryFiles::read(const std::string& path, std::size_t bytes_max) const {
  return read_file(directory_ + "/" + path, bytes_max);
}

Result<std::vector<std::string>> DirectoryFiles::list(const std::string& path) const {
  auto names = list_directory(directory_ + "/" + path, kDirectoryEntriesMax);
  if (!names && names.error().code == Errc::not_found) return std::vector<std::string>{};
  return names;
}

}  // namespace vouch::verify
