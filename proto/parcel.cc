// SPDX-License-Identifier: Apache-2.0
// The writing half of proto/parcel.h, and reading as a whole.
#include "proto/parcel.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/digest.h"
#include "core/zstd.h"
#include "proto/archive_header.h"
#include "proto/limits.h"

namespace vouch {
namespace {

void add_member(std::string& archive, std::string_view name, std::string_view bytes) {
  archive += archive_header(name, bytes.size());
  archive += bytes;
  archive.append(archive_padding(bytes.size()), '\0');
}

// Keeps everything.
class Collect final : public ParcelSink {
 public:
  Status envelope(std::string_view bytes) override {
    parcel.envelope = bytes;
    return Ok{};
  }
  Status blob_begin(std::string_view sha256, std::size_t size_bytes) override {
    parcel.blobs.push_back({std::string(sha256), {}});
    parcel.blobs.back().bytes.reserve(std::min(size_bytes, kBlobBytesMax));
    return Ok{};
  }
  Status blob_bytes(std::string_view bytes) override {
    parcel.blobs.back().bytes += bytes;
    return Ok{};
  }
  Status blob_end() override { return Ok{}; }

  Parcel parcel;
};

}  // namespace

Result<std::string> write_archive(std::string_view envelope, std::vector<ParcelBlob> blobs) {
  if (envelope.empty() || envelope.size() > kEnvelopeBytesMax) {
    return Error{Errc::too_large, "parcel: the envelope is empty or over its limit"};
  }
  std::erase_if(blobs, [](const auto& blob) { return blob.bytes.empty(); });
  std::ranges::sort(blobs, {}, &ParcelBlob::sha256);
  if (blobs.size() > kSubjectsMax) return Error{Errc::too_large, "parcel: too many blobs"};

  std::string archive;
  add_member(archive, "envelope.json", envelope);
  std::size_t total = 0;
  std::string_view previous;
  for (const auto& blob : blobs) {
    if (blob.sha256 == previous) {
      return Error{Errc::invalid, fmt::format("parcel: blob {} is there twice", blob.sha256)};
    }
    previous = blob.sha256;
    if (sha256_hex(blob.bytes) != blob.sha256) {
      return Error{Errc::invalid, fmt::format("parcel: blob {}: wrong digest", blob.sha256)};
    }
    total += blob.bytes.size();
    if (blob.bytes.size() > kBlobBytesMax || total > kBundleBlobBytesMax) {
      return Error{Errc::too_large, fmt::format("parcel: blob {}: over the limit", blob.sha256)};
    }
    add_member(archive, "blobs/" + blob.sha256, blob.bytes);
  }
  archive.append(2 * kArchiveBlockBytes, '\0');
  if (archive.size() > kParcelBytesMax) return Error{Errc::too_large, "parcel: over its limit"};
  return archive;
}

Result<std::string> write_parcel(std::string_view envelope, std::vector<ParcelBlob> blobs) {
  auto archive = write_archive(envelope, std::move(blobs));
  if (!archive) return std::move(archive).error();
  auto parcel = zstd::compress(*archive);
  if (parcel.size() > kParcelBytesMax) return Error{Errc::too_large, "parcel: over its limit"};
  return parcel;
}

Result<Parcel> read_parcel(std::string_view bytes) {
  Collect sink;
  ParcelReader reader(sink);
  if (auto fed = reader.feed(bytes); !fed) return std::move(fed).error();
  if (auto done = reader.finish(); !done) return std::move(done).error();
  return std::move(sink.parcel);
}

}  // namespace vouch
