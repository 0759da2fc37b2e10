// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/direct_runner.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>

#include "core/capabilities.h"
#include "core/process.h"
#include "proto/limits.h"

namespace vouch::agent {
namespace {

// Address sanitizers reserve terabytes of address space; there the limit would only break them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kMemoryBytesMax = 0;
#else
constexpr std::size_t kMemoryBytesMax = std::size_t{1} << 30;
#endif
constexpr std::size_t kCacheFileBytesMax = 64 * kMiB;

}  // namespace

DirectRunner::DirectRunner(const Clock& clock, std::string cache_root)
    : CheckedRunner(clock),
      cache_root_(std::move(cache_root)),
      cancel_event_(eventfd(0, EFD_CLOEXEC)) {}

void DirectRunner::cancel() {
  const std::uint64_t one = 1;
  // Fails only if the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(cancel_event_.get(), &one, sizeof one);
}

Result<CheckedRunner::Grants> DirectRunner::grants(const std::string& /*collector*/) {
  return Grants{effective_capabilities(), cache_root_};
}

Result<Exit> DirectRunner::start(const Start& start, const OutputSink& sink) {
  if (!start.cache_dir.empty()) {
    // Without it, the collector says what it cannot do, or does without.
    [[maybe_unused]] const auto made = make_directories(start.cache_dir, 0700);
  }
  Command command;
  command.argv = {start.program};
  if (start.describe) command.argv.emplace_back("--describe");
  command.environment = default_environment();
  // By hand, what LoadCredential= is for a unit.
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr) {
    command.environment.push_back(std::string("CREDENTIALS_DIRECTORY=") + credentials);
  }
  command.standard_input = start.input;
  command.deadline = start.deadline;
  command.output_bytes_max = kCollectorOutputBytesMax;
  command.memory_bytes_max = kMemoryBytesMax;
  command.cpu_seconds_max = static_cast<int>(start.deadline.count() / 1000 + 1);
  command.file_bytes_max = kCacheFileBytesMax;
  command.cancel_fd = cancel_event_.get();
  return run_process(command, sink);
}

}  // namespace vouch::agent
