// SPDX-License-Identifier: Apache-2.0
#include "core/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace vouch::zstd {
namespace {

constexpr std::uint32_t kMagic = 0xFD2FB528;
constexpr std::uint64_t kWindowBytesMax = std::uint64_t{1} << kWindowLog;
constexpr std::size_t kPrefixBytes = 5;  // Magic number and frame header descriptor.
constexpr int kLevelMax = 19;            // The highest whose window is within kWindowLog.

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

// RFC 8878, section 3.1.1.1. The library's own reader would also accept skippable frames, legacy
// formats and, when the whole output is known to fit, any window: so the header is read here.
struct FrameHeader {
  std::size_t size = 0;
  std::uint64_t window_bytes = 0;
  std::optional<std::uint64_t> content_bytes;
};

// What the header says, or nothing while bytes of it are missing.
Result<std::optional<FrameHeader>> read_frame_header(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes) return std::optional<FrameHeader>();
  if (little_endian(bytes.substr(0, 4)) != kMagic) {
    return Error{Errc::invalid, "zstd: does not start with a zstd frame"};
  }
  const auto descriptor = static_cast<unsigned char>(bytes[4]);
  if ((descriptor & 0x08) != 0) return Error{Errc::invalid, "zstd: reserved bit set"};
  if ((descriptor & 0x03) != 0) return Error{Errc::invalid, "zstd: needs a dictionary"};

  const bool single_segment = (descriptor & 0x20) != 0;
  const int content_flag = descriptor >> 6;
  const std::size_t content_field =
      content_flag == 0 ? (single_segment ? 1u : 0u) : std::size_t{1} << content_flag;
  FrameHeader header;
  header.size = kPrefixBytes + (single_segment ? 0u : 1u) + content_field;
  if (bytes.size() < header.size) return std::optional<FrameHeader>();

  if (content_field > 0) {
    const auto value = little_endian(bytes.substr(header.size - content_field, content_field));
    header.content_bytes = content_field == 2 ? value + 256 : value;
  }
  if (single_segment) {
    header.window_bytes = *header.content_bytes;
  } else {
    const auto window = static_cast<unsigned char>(bytes[kPrefixBytes]);
    const std::uint64_t base = std::uint64_t{1} << (10 + (window >> 3));
    header.window_bytes = base + base / 8 * (window & 7u);
  }
  return std::optional<FrameHeader>(header);
}

Error too_large(std::size_t bytes_max) {
  return {Errc::too_large, "zstd: expands to more than " + std::to_string(bytes_max) + " bytes"};
}

Status check_bounds(const FrameHeader& header, std::size_t bytes_max) {
  if (header.window_bytes > kWindowBytesMax) {
    return Error{Errc::invalid, "zstd: window over 8 MiB"};
  }
  if (header.content_bytes.value_or(0) > bytes_max) return too_large(bytes_max);
  return Ok{};
}

// A frame that says how large its content is needs neither a window nor a buffer of its own.
Result<std::string> decompress_whole(std::string_view bytes, const FrameHeader& header,
                                     std::size_t bytes_max) {
  auto bounded = check_bounds(header, bytes_max);
  if (!bounded) return std::move(bounded).error();
  const auto failed = [](std::size_t code) {
    return Error{Errc::invalid, std::string("zstd: ") + ZSTD_getErrorName(code)};
  };
  const std::size_t frame = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(frame) != 0) return failed(frame);
  if (frame < bytes.size()) return Error{Errc::invalid, "zstd: bytes after the frame"};
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  if (!context) std::abort();
  std::string out(*header.content_bytes, '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return failed(size);
  if (size != out.size()) return Error{Errc::invalid, "zstd: less than the frame says"};
  return out;
}

}  // namespace

std::string compress(std::string_view bytes, int level) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  if (!context) std::abort();  // Out of memory; nothing else fails below either.
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, std::min(level, kLevelMax));
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  const std::size_t size =
      ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) std::abort();
  out.resize(size);
  return out;
}

Result<std::string> decompress(std::string_view bytes, std::size_t bytes_max) {
  auto header = read_frame_header(bytes);
  if (!header) return std::move(header).error();
  if (*header && (*header)->content_bytes) return decompress_whole(bytes, **header, bytes_max);
  std::string out;
  Decompressor decompressor(bytes_max);
  auto fed = decompressor.feed(bytes, [&out](std::string_view piece) -> Status {
    out += piece;
    return Ok{};
  });
  if (!fed) return std::move(fed).error();
  auto finished = decompressor.finish();
  if (!finished) return std::move(finished).error();
  return out;
}

struct Decompressor::State {
  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context{ZSTD_createDCtx()};
  std::size_t bytes_max = 0;
  std::size_t expanded = 0;
  std::string header;  // The first bytes, until the frame header is whole.
  bool header_read = false;
  bool complete = false;
  std::string buffer;

  Status expand(std::string_view bytes, const Sink& sink);
};

// Feeds bytes whose frame header has been accepted.
Status Decompressor::State::expand(std::string_view bytes, const Sink& sink) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(result) != 0) {
      return Error{Errc::invalid, std::string("zstd: ") + ZSTD_getErrorName(result)};
    }
    if (out.pos > bytes_max - expanded) return too_large(bytes_max);
    expanded += out.pos;
    if (out.pos > 0) {
      auto taken = sink(std::string_view(buffer.data(), out.pos));
      if (!taken) return taken;
    }
    if (result == 0) {
      complete = true;
      if (in.pos < in.size) return Error{Errc::invalid, "zstd: bytes after the frame"};
      return Ok{};
    }
    // A full output buffer may mean that more of it waits inside, even with the input used up.
    if (in.pos == in.size && out.pos < out.size) return Ok{};
  }
}

Decompressor::Decompressor(std::size_t bytes_max) : state_(std::make_unique<State>()) {
  if (!state_->context) std::abort();
  state_->bytes_max = bytes_max;
  state_->buffer.resize(ZSTD_DStreamOutSize());
  ZSTD_DCtx_setParameter(state_->context.get(), ZSTD_d_windowLogMax, kWindowLog);
}

Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

Status Decompressor::feed(std::string_view bytes, const Sink& sink) {
  State& state = *state_;
  if (bytes.empty()) return Ok{};
  if (state.complete) return Error{Errc::invalid, "zstd: bytes after the frame"};
  if (state.header_read) return state.expand(bytes, sink);

  state.header += bytes;
  auto header = read_frame_header(state.header);
  if (!header) return std::move(header).error();
  if (!header->has_value()) return Ok{};
  auto bounded = check_bounds(**header, state.bytes_max);
  if (!bounded) return bounded;
  state.header_read = true;
  const std::string first = std::move(state.header);
  state.header.clear();
  return state.expand(first, sink);
}

Status Decompressor::finish() {
  if (!state_->complete) return Error{Errc::invalid, "zstd: ends inside the frame"};
  return Ok{};
}

}  // namespace vouch::zstd
