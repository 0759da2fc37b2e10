// SPDX-License-Identifier: Apache-2.0
// Work that is spread over threads for the duration of one call.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace vouch::verify {

// Calls body(i) once for each i below `count`, from `threads` threads at most; returns when all are
// done. `body` must be safe to call at once for different i.
inline void parallel_for(std::size_t count, unsigned threads,
                         const std::function<void(std::size_t)>& body) {
  constexpr std::size_t kStride = 8;  // Taken at a time: neighbours share pages of a directory.
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto begin = next.fetch_add(kStride); begin < count; begin = next.fetch_add(kStride)) {
      for (auto i = begin; i < count && i < begin + kStride; ++i) body(i);
    }
  };
  if (count <= kStride || threads <= 1) return work();
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
}

}  // namespace vouch::verify
