// SPDX-License-Identifier: Apache-2.0
// zstd (RFC 8878) as our formats allow it: exactly one frame, no dictionary, no skippable frame,
// no byte after it, window at most 8 MiB.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::zstd {

inline constexpr int kWindowLog = 23;  // 8 MiB.

std::string compress(std::string_view bytes, int level = 3);
// Refuses anything that is not of the form above (Errc::invalid) and more than `bytes_max`
// expanded bytes (Errc::too_large), without ever holding more than that.
Result<std::string> decompress(std::string_view bytes, std::size_t bytes_max);

// The same for input that arrives in pieces. Expanded bytes go to `sink`, in order; an error of
// the sink stops the stream and is returned.
class Decompressor {
 public:
  using Sink = std::function<Status(std::string_view)>;
  explicit Decompressor(std::size_t bytes_max);
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  Status feed(std::string_view bytes, const Sink& sink);
  Status finish();  // Errc::invalid unless the one frame is complete.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::zstd
