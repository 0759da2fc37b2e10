// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/blob_store.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "core/log.h"
#include "core/zstd.h"
#include "proto/limits.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kSuffix = ".zst";
constexpr std::size_t kFilesMax = 1'000'000;

}  // namespace

Result<BlobStore> BlobStore::open(std::string directory) {
  if (auto made = make_directories(directory, 0700); !made) return std::move(made).error();
  return BlobStore(std::move(directory));
}

std::string BlobStore::path_of(std::string_view sha256) const {
  return directory_ + "/" + std::string(sha256) + std::string(kSuffix);
}

bool BlobStore::has(std::string_view sha256) const {
  return sha256 == kEmptyDigestHex || file_exists(path_of(sha256));
}

Result<std::string> BlobStore::read(std::string_view sha256) const {
  const std::string path = path_of(sha256);
  auto compressed = read_file(path, kBlobBytesMax + kMiB);
  if (!compressed) return compressed;
  auto bytes = zstd::decompress(*compressed, kBlobBytesMax);
  if (!bytes) return Error{Errc::corrupt, path + ": " + bytes.error().message};
  return bytes;
}

Status BlobStore::put(std::string_view sha256, std::string_view bytes) {
  if (sha256 == kEmptyDigestHex) return Ok{};
  const std::string path = path_of(sha256);
  if (file_exists(path)) {
    const auto there = read(sha256);
    if (there && *there == bytes) return Ok{};
    log::error(path + ": damaged on the disk; written again");
  }
  return write_file_durable(path, zstd::compress(bytes), 0600);
}

Result<std::string> BlobStore::get(std::string_view sha256) const {
  if (sha256 == kEmptyDigestHex) return std::string();
  auto bytes = read(sha256);
  if (bytes && sha256_hex(*bytes) != sha256) {
    return Error{Errc::corrupt, path_of(sha256) + ": its content does not have its digest"};
  }
  return bytes;
}

Status BlobStore::remove(std::string_view sha256) {
  return remove_file(path_of(sha256));
}

Result<std::vector<std::string>> BlobStore::list() const {
  auto names = list_directory(directory_, kFilesMax);
  if (!names) return names;
  std::vector<std::string> digests;
  for (const std::string& name : *names) {
    const auto digest = std::string_view(name).substr(0, name.find('.'));
    if (name.ends_with(kSuffix) && is_hex_digest(digest)) digests.emplace_back(digest);
  }
  return digests;
}

}  // namespace vouch::agent
