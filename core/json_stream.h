// SPDX-License-Identifier: Apache-2.0
// JSON of any size from another program, read in pieces: what is in it is told as it comes, and
// nothing is kept. For feeds of tens of megabytes of which a few entries matter.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/result.h"

namespace vouch::json {

// Receives the parts of a text in order. Views are gone when the function returns.
class Events {
 public:
  virtual ~Events() = default;
  virtual void open_object() = 0;
  virtual void close_object() = 0;
  virtual void open_array() = 0;
  virtual void close_array() = 0;
  virtual void key(std::string_view name) = 0;
  virtual void string(std::string_view value) = 0;
  virtual void scalar() = 0;  // A number, true, false or null.
};

inline constexpr std::size_t kStreamStringBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kStreamDepthMax = 64;

class Stream {
 public:
  // `events` outlives the stream.
  explicit Stream(Events& events);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // Errc::invalid: no JSON, too deep; too_large: a string over 1 MiB.
  Status feed(std::string_view bytes);
  Status finish();  // Errc::invalid unless the one value is complete.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::json
