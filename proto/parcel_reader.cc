// SPDX-License-Identifier: Apache-2.0
// ParcelReader: the reading half of proto/parcel.h.
#include <fmt/format.h>

#include <algorithm>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/zstd.h"
#include "proto/archive_header.h"
#include "proto/limits.h"
#include "proto/parcel.h"

namespace vouch {
namespace {

constexpr std::string_view kEnvelopeName = "envelope.json";
constexpr std::string_view kBlobPrefix = "blobs/";

bool is_nul(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

}  // namespace

struct ParcelReader::State {
  enum class Phase { header, data, padding, end_block, done };

  explicit State(ParcelSink& parcel_sink) : sink(parcel_sink) {}

  Status refuse(ParcelFault::Kind kind, std::string_view reason) {
    fault = {kind, std::string(reason), name};
    const bool large = kind == ParcelFault::Kind::too_large;
    return Error{large ? Errc::too_large : Errc::invalid,
                 fmt::format("parcel: {}{}{}", name, name.empty() ? "" : ": ", reason)};
  }
  Status malformed(std::string_view reason) { return refuse(ParcelFault::Kind::malformed, reason); }
  // An error of the sink goes up as it is.
  Status from_sink(Status status) {
    if (!status) fault = {ParcelFault::Kind::sink, "refused", name};
    return status;
  }

  Status take(std::string_view bytes);  // Of the archive.
  Status take_header();
  Status begin_member(const ArchiveMember& member);
  Status begin_blob(std::size_t size_bytes);
  Status take_data(std::string_view bytes);
  Status end_member();
  Status end_padding();
  void expect_block() {
    phase = Phase::header;
    wanted = kArchiveBlockBytes;
  }

  ParcelSink& sink;
  zstd::Decompressor decompressor{kParcelBytesMax};
  ParcelFault fault;
  bool failed = false;
  std::size_t bytes_read = 0;  // As sent.
  Phase phase = Phase::header;
  std::size_t wanted = kArchiveBlockBytes;  // Bytes until the phase ends.
  std::string block;                        // The header or padding so far.
  std::string name;                         // Of the member in hand.
  bool has_envelope = false;
  std::string envelope;
  std::string last_digest;
  std::size_t data_bytes = 0;  // Of the member in hand.
  std::size_t blobs = 0;
  std::size_t blob_bytes = 0;
  Sha256 hash;
};

Status ParcelReader::State::begin_member(const ArchiveMember& member) {
  name = member.name;
  data_bytes = member.size_bytes;
  wanted = data_bytes;
  phase = Phase::data;
  if (!has_envelope) {
    if (name != kEnvelopeName) return malformed("the envelope must be first");
    if (data_bytes == 0) return malformed("empty");
    if (data_bytes > kEnvelopeBytesMax) return refuse(ParcelFault::Kind::too_large, "envelope");
    return from_sink(sink.envelope_begin(data_bytes));
  }
  if (!name.starts_with(kBlobPrefix)) return malformed("no member of a parcel");
  name.erase(0, kBlobPrefix.size());
  if (!is_hex_digest(name)) return malformed("a blob is named by its digest");
  return begin_blob(data_bytes);
}

Status ParcelReader::State::begin_blob(std::size_t size_bytes) {
  if (name <= last_digest) return malformed("blobs are sorted, each once");
  if (size_bytes == 0) return malformed("the empty blob is never sent");
  if (++blobs > kSubjectsMax) return refuse(ParcelFault::Kind::too_large, "blobs");
  blob_bytes += size_bytes;
  if (size_bytes > kBlobBytesMax || blob_bytes > kBundleBlobBytesMax) {
    return refuse(ParcelFault::Kind::too_large, "blob");
  }
  last_digest = name;
  hash = Sha256();
  return from_sink(sink.blob_begin(name, size_bytes));
}

Status ParcelReader::State::take_header() {
  if (is_nul(block)) {
    if (!has_envelope) return malformed("no envelope");
    name.clear();
    phase = Phase::end_block;
    wanted = kArchiveBlockBytes;
    return Ok{};
  }
  const auto member = parse_archive_header(block);
  if (!member) {
    name.clear();
    return malformed("header");
  }
  return begin_member(*member);
}

Status ParcelReader::State::take_data(std::string_view bytes) {
  if (!has_envelope) {
    envelope += bytes;
    return Ok{};
  }
  hash.update(bytes);
  return from_sink(sink.blob_bytes(bytes));
}

Status ParcelReader::State::end_member() {
  phase = Phase::padding;
  wanted = archive_padding(data_bytes);
  if (!has_envelope) {
    has_envelope = true;
    auto taken = from_sink(sink.envelope(envelope));
    envelope = {};
    return taken;
  }
  if (hash.finish_hex() != name) return refuse(ParcelFault::Kind::bad_blob, "digest");
  return from_sink(sink.blob_end());
}

Status ParcelReader::State::end_padding() {
  if (!is_nul(block)) return malformed("padding");
  expect_block();
  return Ok{};
}

Status ParcelReader::State::take(std::string_view bytes) {
  while (!bytes.empty() || (wanted == 0 && phase != Phase::done)) {
    if (phase == Phase::done) return malformed("bytes after the end of the archive");
    const auto piece = bytes.substr(0, wanted);
    bytes.remove_prefix(piece.size());
    wanted -= piece.size();
    if (phase != Phase::data) {
      block += piece;
    } else if (auto taken = take_data(piece); !taken) {
      return taken;
    }
    if (wanted > 0) return Ok{};

    Status ended = Ok{};
    switch (phase) {
      case Phase::header:
        ended = take_header();
        break;
      case Phase::data:
        ended = end_member();
        break;
      case Phase::padding:
        ended = end_padding();
        break;
      case Phase::end_block:
        if (!is_nul(block)) return malformed("one block of NUL, not two");
        phase = Phase::done;
        break;
      case Phase::done:
        break;
    }
    block.clear();
    if (!ended) return ended;
  }
  return Ok{};
}

ParcelReader::ParcelReader(ParcelSink& sink) : state_(std::make_unique<State>(sink)) {}
ParcelReader::~ParcelReader() = default;
ParcelReader::ParcelReader(ParcelReader&&) noexcept = default;
ParcelReader& ParcelReader::operator=(ParcelReader&&) noexcept = default;

const ParcelFault& ParcelReader::fault() const {
  return state_->fault;
}

Status ParcelReader::feed(std::string_view bytes) {
  auto& state = *state_;
  if (state.failed) return Error{Errc::invalid, "parcel: refused already"};
  // In pieces, so that what may be read before the envelope is known is counted exactly.
  constexpr std::size_t kPieceBytes = 64 * kKiB;
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, kPieceBytes);
    bytes.remove_prefix(piece.size());
    state.bytes_read += piece.size();
    Status fed = Ok{};
    if (state.bytes_read > kParcelBytesMax) {
      fed = state.refuse(ParcelFault::Kind::too_large, "parcel");
    } else if (!state.has_envelope && state.bytes_read > kParcelHeadBytesMax) {
      fed = state.refuse(ParcelFault::Kind::too_large, "no envelope in the first 8 MiB");
    } else {
      fed = state.decompressor.feed(piece, [&](std::string_view out) { return state.take(out); });
    }
    if (fed) continue;
    state.failed = true;
    if (state.fault.kind == ParcelFault::Kind::none) {
      const bool large = fed.error().code == Errc::too_large;
      state.fault = {large ? ParcelFault::Kind::too_large : ParcelFault::Kind::malformed, "frame",
                     ""};
    }
    return fed;
  }
  return Ok{};
}

Status ParcelReader::finish() {
  auto& state = *state_;
  if (state.failed) return Error{Errc::invalid, "parcel: refused already"};
  state.failed = true;  // Nothing may follow.
  if (auto finished = state.decompressor.finish(); !finished) {
    state.fault = {ParcelFault::Kind::malformed, "frame", ""};
    return std::move(finished).error().in("parcel");
  }
  if (state.phase != State::Phase::done) return state.malformed("it stops early");
  return Ok{};
}

}  // namespace vouch
