// SPDX-License-Identifier: Apache-2.0
#include "store/evidence_files.h"

#include <optional>
#include <utility>

#include "core/digest.h"
#include "core/zstd.h"
#include "proto/dsse.h"
#include "proto/limits.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

// The bytes as they lie there. A file may reach its place between the two looks, and then its row
// is forgotten: hence the third.
Result<std::string> read_packed(Disk& disk, Index& index, const std::string& name,
                                std::size_t bytes_max) {
  auto packed = disk.get(name, bytes_max);
  if (packed || packed.error().code != Errc::not_found) return packed;
  auto waiting = index.waiting_file(name);
  if (!waiting) return std::move(waiting).error();
  if (*waiting) return **std::move(waiting);
  return disk.get(name, bytes_max);
}

}  // namespace

Result<bool> is_kept(Disk& disk, Index& index, const std::string& name) {
  auto there = disk.has(name);
  if (!there || *there) return there;
  auto waiting = index.waiting_file(name);
  if (!waiting) return std::move(waiting).error();
  if (*waiting) return true;
  return disk.has(name);
}

Result<std::string> read_kept(Disk& disk, Index& index, const std::string& name,
                              std::size_t bytes_max) {
  auto packed = read_packed(disk, index, name, bytes_max);
  if (!packed || !name.ends_with(".zst")) return packed;
  auto bytes = zstd::decompress(*packed, bytes_max);
  if (!bytes) return Error{Errc::corrupt, name + ": " + bytes.error().message};
  return bytes;
}

Result<std::string> read_blob(Disk& disk, Index& index, std::string_view sha256) {
  if (sha256 == kEmptyDigestHex) return std::string();  // Never sent; everyone knows it.
  const std::string name = layout::blob_path(sha256);
  auto bytes = read_kept(disk, index, name, kBlobBytesMax);
  if (bytes && sha256_hex(*bytes) != sha256) {
    return Error{Errc::corrupt, name + ": not of its digest"};
  }
  return bytes;
}

Result<std::string> read_bundle(Disk& disk, Index& index, std::string_view agent, std::int64_t seq,
                                std::string_view bundle_id) {
  const std::string name = layout::bundle_path(agent, seq);
  auto bytes = read_kept(disk, index, name, kEnvelopeBytesMax);
  if (!bytes) return bytes;
  const auto envelope = dsse::parse(*bytes);
  if (!envelope || dsse::bundle_id(*envelope) != bundle_id) {
    return Error{Errc::corrupt, name + ": not the bundle that the log holds"};
  }
  return bytes;
}

}  // namespace vouch::store
