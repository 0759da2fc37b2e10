// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/direct_runner.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <map>

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
constexpr std::size_t kStatusBytesMax = 64 * kKiB;

// capabilities(7). A name that is not here cannot be granted.
constexpr std::array<std::pair<std::string_view, int>, 8> kCapabilities{{
    {"CAP_DAC_OVERRIDE", 1},
    {"CAP_DAC_READ_SEARCH", 2},
    {"CAP_NET_ADMIN", 12},
    {"CAP_SYS_PTRACE", 19},
    {"CAP_SYS_ADMIN", 21},
    {"CAP_SYSLOG", 34},
    {"CAP_AUDIT_READ", 37},
    {"CAP_BPF", 39},
}};

bool is_granted(std::string_view name, std::uint64_t capabilities) {
  for (const auto& [known, bit] : kCapabilities) {
    if (known == name) return (capabilities >> bit & 1) != 0;
  }
  return false;
}

Command make_command(const Collector& collector, const RunRequest& request) {
  Command command;
  command.argv = {collector.program};
  command.environment = default_environment();
  command.standard_input = write_request(request);
  command.deadline = std::chrono::milliseconds(request.deadline_ms);
  command.output_bytes_max = kCollectorOutputBytesMax;
  command.memory_bytes_max = kMemoryBytesMax;
  command.cpu_seconds_max = static_cast<int>(request.deadline_ms / 1000 + 1);
  command.file_bytes_max = kCacheFileBytesMax;
  return command;
}

// How a child that was not stopped for what it printed came to a bad end.
std::optional<RunViolation> judge_exit(const Exit& exit) {
  const auto violation = [](Violation reason, std::string message) {
    return RunViolation{reason, 0, std::move(message)};
  };
  switch (exit.how) {
    case Exit::How::deadline:
      return violation(Violation::deadline, "killed at its deadline");
    case Exit::How::output_too_large:
      return violation(Violation::output_too_large, "more than 128 MiB of output");
    case Exit::How::cancelled:
      return violation(Violation::signal, "stopped with the agent");
    case Exit::How::signalled: {
      const bool limit = exit.code == SIGXCPU || exit.code == SIGXFSZ;
      return violation(limit ? Violation::limit : Violation::signal,
                       fmt::format("ended by signal {}", exit.code));
    }
    case Exit::How::exited:
      break;
  }
  if (exit.code == 0) return std::nullopt;
  return violation(Violation::exit, fmt::format("exit status {}", exit.code));
}

// The answer as the record will have it: tables that were not asked for are errors.
void add_ungranted(Snapshot& snapshot, const std::vector<std::string>& tables) {
  for (const std::string& table : tables) {
    TableAnswer answer;
    answer.name = table;
    answer.kind = TableAnswer::Kind::error;
    answer.error_code = "permission-denied";
    answer.error_message = "only root, or an agent with its capabilities, may read this";
    snapshot.tables.push_back(std::move(answer));
  }
}

}  // namespace

std::uint64_t effective_capabilities() {
  const auto status = read_file("/proc/self/status", kStatusBytesMax);
  if (!status) return 0;
  const std::string_view mark = "\nCapEff:\t";
  const auto at = status->find(mark);
  if (at == std::string::npos) return 0;
  std::uint64_t capabilities = 0;
  const char* begin = status->data() + at + mark.size();
  std::from_chars(begin, status->data() + status->size(), capabilities, 16);
  return capabilities;
}

std::vector<std::string> ungranted_tables(const Manifest& manifest, std::uint64_t capabilities) {
  std::vector<std::string> tables;
  for (const TableSchema& table : manifest.tables) {
    const bool granted =
        std::all_of(table.capabilities.begin(), table.capabilities.end(),
                    [&](const std::string& name) { return is_granted(name, capabilities); });
    if (!granted) tables.push_back(table.name);
  }
  return tables;
}

DirectRunner::DirectRunner(const Clock& clock, std::string cache_root)
    : clock_(clock), cache_root_(std::move(cache_root)), cancel_event_(eventfd(0, EFD_CLOEXEC)) {}

void DirectRunner::cancel() {
  const std::uint64_t one = 1;
  // Fails only if the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(cancel_event_.get(), &one, sizeof one);
}

// Reads the file again only if it is another one than the last time.
Result<std::string> DirectRunner::digest_of(const std::string& program) {
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) return errno_error("stat " + program, errno);
  const auto nanoseconds = [](const struct timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  const FileMark mark{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                      nanoseconds(status.st_ctim)};
  auto [known, is_new] = digests_.try_emplace(program);
  if (!is_new && known->second.first == mark) return known->second.second;
  auto digest = file_digest(program);
  if (!digest) return digest;
  known->second = {mark, *digest};
  return digest;
}

RunReport DirectRunner::run(const Collector& collector, const RunRequest& request) {
  RunReport report;
  report.collector = {collector.name, collector.manifest.version, collector.digest};
  report.started = clock_.wall_ms();
  const std::int64_t started_us = clock_.monotonic_us();

  // The digest on record is of the file that runs; its manifest may be another one too.
  const auto digest = digest_of(collector.program);
  if (!digest || *digest != collector.digest) {
    report.finished = clock_.wall_ms();
    report.was_started = false;
    report.result = RunViolation{
        Violation::exit, 0,
        digest ? "the program was replaced since the configuration was read: reload vouchd"
               : digest.error().message};
    return report;
  }

  RunRequest asked = request;
  const auto ungranted = ungranted_tables(collector.manifest, effective_capabilities());
  std::erase_if(asked.tables, [&](const std::string& table) {
    return std::find(ungranted.begin(), ungranted.end(), table) != ungranted.end();
  });
  if (collector.manifest.needs_cache_dir && !cache_root_.empty()) {
    const std::string directory = cache_root_ + "/" + collector.name;
    if (make_directories(directory, 0700)) asked.cache_dir = directory;
  }

  OutputParser parser(collector.manifest, asked);
  Command command = make_command(collector, asked);
  command.cancel_fd = cancel_event_.get();
  bool refused = false;
  const auto exit = run_process(command, [&](std::string_view bytes) {
    refused = !parser.feed(bytes);
    return !refused;
  });
  report.finished = clock_.wall_ms();
  report.duration_ms = (clock_.monotonic_us() - started_us) / 1000;

  if (!exit) {
    report.was_started = false;
    report.result = RunViolation{Violation::exit, 0, exit.error().message};
    return report;
  }
  const auto bad_end = refused ? std::nullopt : judge_exit(*exit);
  report.result = bad_end ? std::variant<Snapshot, RunViolation>(*bad_end) : parser.finish();
  if (auto* snapshot = std::get_if<Snapshot>(&report.result)) {
    std::vector<std::string> wanted;
    for (const std::string& table : ungranted) {
      const auto& tables = request.tables;
      if (std::find(tables.begin(), tables.end(), table) != tables.end()) wanted.push_back(table);
    }
    add_ungranted(*snapshot, wanted);
  }
  return report;
}

}  // namespace vouch::agent
