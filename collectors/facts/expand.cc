// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/expand.h"

#include <lz4frame.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/zstd.h"

namespace vouch::facts {
namespace {

constexpr std::size_t kReadBytes = std::size_t{128} << 10;
constexpr std::size_t kExpandedBytes = std::size_t{256} << 10;
constexpr std::uint64_t kXzMemoryMax = std::uint64_t{80} << 20;  // xz -9 needs 65 MiB.

using Sink = PieceSink;

// One of the formats; takes compressed bytes, gives expanded ones to the sink.
class Expander {
 public:
  virtual ~Expander() = default;
  virtual Status feed(std::string_view bytes, const Sink& out) = 0;
  virtual Status finish(const Sink& out) = 0;
};

class Plain final : public Expander {
 public:
  Status feed(std::string_view bytes, const Sink& out) override { return out(bytes); }
  Status finish(const Sink&) override { return Ok{}; }
};

class Lz4 final : public Expander {
 public:
  Status feed(std::string_view bytes, const Sink& out) override {
    if (!context_) {
      LZ4F_dctx* context = nullptr;
      if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
        return Error{Errc::other, "no memory to expand it"};
      }
      context_.reset(context);
    }
    while (!bytes.empty()) {
      std::size_t consumed = bytes.size();
      std::size_t produced = buffer_.size();
      wanted_ = LZ4F_decompress(context_.get(), buffer_.data(), &produced, bytes.data(), &consumed,
                                nullptr);
      if (LZ4F_isError(wanted_) != 0) return Error{Errc::invalid, "damaged LZ4 data"};
      bytes.remove_prefix(consumed);
      if (auto status = out({buffer_.data(), produced}); !status) return status;
    }
    return Ok{};
  }
  Status finish(const Sink&) override {
    if (wanted_ != 0) return Error{Errc::invalid, "the LZ4 data ends too early: cut off"};
    return Ok{};
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  };
  std::unique_ptr<LZ4F_dctx, Free> context_;
  std::string buffer_ = std::string(kExpandedBytes, '\0');
  std::size_t wanted_ = 1;  // 0: the frame is complete.
};

class Gzip final : public Expander {
 public:
  Gzip() { usable_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Gzip() override { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Status feed(std::string_view bytes, const Sink& out) override {
    if (!usable_) return Error{Errc::other, "no memory to expand it"};
    input_.assign(bytes.begin(), bytes.end());
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(input_.size());
    do {
      if (ended_ && stream_.avail_in > 0) inflateReset(&stream_);  // Members may follow each other.
      ended_ = false;
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      if (!ended_ && code != Z_OK && code != Z_BUF_ERROR) {
        return Error{Errc::invalid, "damaged gzip data"};
      }
      const std::size_t produced = buffer_.size() - stream_.avail_out;
      text_.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(produced));
      if (auto status = out(text_); !status) return status;
    } while (stream_.avail_in > 0 || (!ended_ && stream_.avail_out == 0));
    return Ok{};
  }
  Status finish(const Sink&) override {
    if (!ended_) return Error{Errc::invalid, "the gzip data ends too early: cut off"};
    return Ok{};
  }

 private:
  z_stream stream_ = {};
  bool usable_ = false;
  bool ended_ = false;
  std::vector<Bytef> input_;
  std::vector<Bytef> buffer_ = std::vector<Bytef>(kExpandedBytes);
  std::string text_;
};

class Xz final : public Expander {
 public:
  Xz() { usable_ = lzma_stream_decoder(&stream_, kXzMemoryMax, LZMA_CONCATENATED) == LZMA_OK; }
  ~Xz() override { lzma_end(&stream_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;

  Status feed(std::string_view bytes, const Sink& out) override {
    input_.assign(bytes.begin(), bytes.end());
    stream_.next_in = input_.data();
    stream_.avail_in = input_.size();
    return run(LZMA_RUN, out);
  }
  Status finish(const Sink& out) override {
    if (auto status = run(LZMA_FINISH, out); !status) return status;
    if (!ended_) return Error{Errc::invalid, "the xz data ends too early: cut off"};
    return Ok{};
  }

 private:
  Status run(lzma_action action, const Sink& out) {
    if (!usable_) return Error{Errc::other, "no memory to expand it"};
    do {
      stream_.next_out = buffer_.data();
      stream_.avail_out = buffer_.size();
      const lzma_ret code = lzma_code(&stream_, action);
      ended_ = code == LZMA_STREAM_END;
      if (!ended_ && code != LZMA_OK && code != LZMA_BUF_ERROR) {
        return Error{Errc::invalid, "damaged xz data"};
      }
      const std::size_t produced = buffer_.size() - stream_.avail_out;
      text_.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(produced));
      if (auto status = out(text_); !status) return status;
    } while (!ended_ && (stream_.avail_in > 0 || stream_.avail_out == 0));
    return Ok{};
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool usable_ = false;
  bool ended_ = false;
  std::vector<std::uint8_t> input_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kExpandedBytes);
  std::string text_;
};

class Zstandard final : public Expander {
 public:
  Status feed(std::string_view bytes, const Sink& out) override {
    return stream_.feed(bytes, [&](std::string_view piece) { return out(piece); });
  }
  Status finish(const Sink&) override { return stream_.finish(); }

 private:
  zstd::Decompressor stream_{kExpandedBytesMax};
};

std::unique_ptr<Expander> expander_for(std::string_view head) {
  if (head.starts_with("\x04\x22\x4d\x18")) return std::make_unique<Lz4>();
  if (head.starts_with("\x1f\x8b")) return std::make_unique<Gzip>();
  if (head.starts_with(std::string_view("\xfd"
                                        "7zXZ\0",
                                        6)))
    return std::make_unique<Xz>();
  if (head.starts_with("\x28\xb5\x2f\xfd")) return std::make_unique<Zstandard>();
  if (head.starts_with("BZh")) return nullptr;
  return std::make_unique<Plain>();
}

Status expand(int fd, const Sink& sink) {
  std::unique_ptr<Expander> expander;
  std::string buffer(kReadBytes, '\0');
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read", errno);
    if (count == 0) break;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
    if (!expander) {
      expander = expander_for(piece);
      if (!expander) return Error{Errc::unsupported, "compressed with bzip2"};
    }
    if (auto status = expander->feed(piece, sink); !status) return status;
  }
  return expander ? expander->finish(sink) : Status(Ok{});
}

}  // namespace

Status expand_file(int fd, std::string_view name, const PieceSink& sink) {
  std::size_t total = 0;
  auto status = expand(fd, [&](std::string_view piece) -> Status {
    total += piece.size();
    if (total > kExpandedBytesMax) return Error{Errc::too_large, "more than 1 GiB expanded"};
    return sink(piece);
  });
  if (!status) return std::move(status).error().in(name);
  return status;
}

}  // namespace vouch::facts
