// SPDX-License-Identifier: Apache-2.0
// Child processes: started without a shell, with a fixed environment, resource limits and a
// deadline, in a process group of their own that is killed as a whole.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch {

struct Command {
  std::vector<std::string> argv;         // argv[0] is an absolute path; no PATH search, no shell.
  std::vector<std::string> environment;  // "NAME=value"; exactly this, nothing inherited.
  std::string standard_input;
  // Descriptors of the caller's in place of the three above; -1: none. `program_fd` is the open
  // file that is executed (argv[0] is only its name then); no script, since an interpreter opens
  // its script by name. `output_fd` becomes stdout, and nothing is read. `extra_fd` is the
  // child's 3.
  int program_fd = -1;
  int input_fd = -1;
  int output_fd = -1;
  int extra_fd = -1;
  std::chrono::milliseconds deadline{30000};  // Then SIGKILL to the whole group.
  std::size_t output_bytes_max = 16u << 20;   // stdout; more kills the child.
  std::size_t error_bytes_max = 64u << 10;    // stderr; more is thrown away.
  std::size_t memory_bytes_max = 0;           // RLIMIT_AS; 0 = unlimited (sanitizers need that).
  int cpu_seconds_max = 0;                    // RLIMIT_CPU; 0 = unlimited.
  std::size_t file_bytes_max = 0;             // RLIMIT_FSIZE; 0 = unlimited.
  std::size_t tasks_max = 0;  // RLIMIT_NPROC: of all processes of the user; 0 = unlimited.
  int cancel_fd = -1;         // Readable: stop the child (Exit::How::cancelled). -1: never.
};

// PATH and locale that children get unless they need more.
std::vector<std::string> default_environment();

struct Exit {
  enum class How { exited, signalled, deadline, output_too_large, cancelled };
  How how = How::exited;
  int code = 0;                 // Exit status or signal number.
  std::string standard_output;  // Empty when a sink was given.
  std::string standard_error;
  std::chrono::milliseconds wall{0};
  std::chrono::milliseconds cpu{0};
  long max_rss_kib = 0;
};

// Receives stdout as it arrives. Returning false stops the child (Exit::How::cancelled).
using OutputSink = std::function<bool(std::string_view)>;

// Runs to the end and reaps. Fails only if the program cannot be started (not_found, denied);
// how it ended is a value. Blocks the calling thread.
Result<Exit> run_process(Command command, const OutputSink& sink = nullptr);

}  // namespace vouch
