// SPDX-License-Identifier: Apache-2.0
// Parcels (docs/formats/parcel.md): one zstd frame over a strict ustar archive of envelope.json,
// then blobs/<hex> in ascending order. Not signed: what a parcel is follows from the envelope in
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch {

struct ParcelBlob {
  std::string sha256;
  std::string bytes;  // Raw.
};

// The archive before compression. Blobs in any order; empty ones are left out. Refuses
// (Errc::invalid, too_large) a wrong digest, two of one digest, and what is above a limit.
Result<std::string> write_archive(std::string_view envelope, std::vector<ParcelBlob> blobs);
Result<std::string> write_parcel(std::string_view envelope, std::vector<ParcelBlob> blobs);

// Receives the members in order. An error returned from here stops the reader, which returns it.
class ParcelSink {
 public:
  virtual ~ParcelSink() = default;
  // Before the envelope is held in memory, with the size that the archive declares: nobody knows
  // yet who sends it.
  virtual Status envelope_begin(std::size_t /*size_bytes*/) { return Ok{}; }
  // Once, before anything else of the parcel is looked at: check key and signature here.
  virtual Status envelope(std::string_view bytes) = 0;
  // Before the blob's bytes: refuse what is no subject of the bundle.
  virtual Status blob_begin(std::string_view sha256, std::size_t size_bytes) = 0;
  virtual Status blob_bytes(std::string_view bytes) = 0;
  // The digest was right.
  virtual Status blob_end() = 0;
};

// What was wrong with a parcel, for the answer to its sender (docs/formats/parcel.md).
struct ParcelFault {
  enum class Kind { none, malformed, too_large, bad_blob, sink };
  Kind kind = Kind::none;
  std::string reason;  // One word: frame, header, order, name, size, digest, end, …
  std::string member;  // The archive's member, or the blob's digest.
};

// Reads a parcel that arrives in pieces, and refuses it at the first byte that is not as
// write_parcel() would have it. Holds the envelope and one block, never a whole blob.
class ParcelReader {
 public:
  explicit ParcelReader(ParcelSink& sink);  // `sink` must outlive the reader.
  ~ParcelReader();
  ParcelReader(ParcelReader&&) noexcept;
  ParcelReader& operator=(ParcelReader&&) noexcept;

  [[nodiscard]] Status feed(std::string_view bytes);
  [[nodiscard]] Status finish();  // After the last byte.
  [[nodiscard]] const ParcelFault& fault() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A whole parcel in memory, for tools and tests.
struct Parcel {
  std::string envelope;
  std::vector<ParcelBlob> blobs;
};
Result<Parcel> read_parcel(std::string_view bytes);

}  // namespace vouch
