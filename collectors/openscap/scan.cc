// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/digest.h"
#include "core/escape.h"
#include "core/file.h"
#include "core/file_digest.h"
#include "core/process.h"

namespace vouch::openscap {
namespace {

constexpr const char* kProgram = "/usr/bin/oscap";
constexpr std::size_t kResultsBytesMax = std::size_t{256} << 20;
constexpr std::size_t kComplaintBytesMax = 300;
constexpr int kSomeRuleFailed = 2;

Result<Scan> read_scan(int fd, const std::string& path) {
  XccdfReader reader;
  Sha256 digest;
  std::string buffer(std::size_t{256} << 10, '\0');
  for (std::size_t total = 0;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read " + path, errno);
    if (count == 0) break;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
    total += piece.size();
    if (total > kResultsBytesMax) return Error{Errc::too_large, path + ": over 256 MiB"};
    digest.update(piece);
    if (auto fed = reader.feed(piece); !fed) return std::move(fed).error().in(path);
  }
  auto test = reader.finish();
  if (!test) return std::move(test).error().in(path);
  return Scan{*std::move(test), digest.finish_hex(), ""};
}

// The first line that is more than a warning or a note of a probe.
std::string_view complaint_in(std::string_view text) {
  std::string_view first;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, std::min(end, kComplaintBytesMax));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first.empty()) first = line;
    const bool is_note = line.starts_with("W: ") || line.starts_with("E: ") ||
                         line.starts_with("WARNING") || line.empty();
    if (!is_note) return line;
  }
  return first;
}

Error failure_of(const Exit& exit) {
  switch (exit.how) {
    case Exit::How::deadline:
      return {Errc::timeout, "oscap did not end in time and was killed (deadline)"};
    case Exit::How::signalled:
      return {Errc::tool_failed, fmt::format("oscap was killed by signal {}", exit.code)};
    default:
      break;
  }
  const auto text = complaint_in(exit.standard_error);
  return {Errc::tool_failed,
          fmt::format("oscap exited with {}: {}", exit.code,
                      text.empty() ? "it does not say why" : escape_bytes(text))};
}

}  // namespace

Status can_evaluate() {
  if (::access("/tmp", W_OK) == 0) return Ok{};
  return Error{Errc::unsupported,
               "oscap writes into /tmp, which it may not here, and would judge the mounts of this "
               "sandbox: let a timer of root's evaluate, and name its file by the option results"};
}

Result<Scan> read_results(const Root& root, const std::string& path) {
  const auto fd = root.open_file(path);
  if (!fd) return fd.error();
  return read_scan(fd->get(), path);
}

Result<Scan> evaluate(const Root& root, const Evaluation& evaluation,
                      std::chrono::milliseconds deadline) {
  for (const std::string& path : {evaluation.data_stream, std::string(kProgram)}) {
    if (auto trusted = require_trusted_path(path, ::geteuid()); !trusted) return trusted.error();
  }
  const auto stream = root.open_file(evaluation.data_stream);
  if (!stream) return stream.error();
  auto digest = file_digest(stream->get(), evaluation.data_stream);
  if (!digest) return std::move(digest).error();
  const std::string arf = evaluation.directory + "/arf-new.xml";
  if (auto removed = remove_file(arf); !removed) return removed.error();
  Command command;
  command.argv = {kProgram, "xccdf", "eval", "--results-arf", arf};
  if (!evaluation.profile.empty()) {
    command.argv.insert(command.argv.end(), {"--profile", evaluation.profile});
  }
  command.argv.push_back(evaluation.data_stream);
  command.environment = default_environment();
  command.deadline = deadline;
  // What it prints is in the ARF, too.
  const auto exit = run_process(std::move(command), [](std::string_view) { return true; });
  if (!exit) return exit.error();
  const bool is_good =
      exit->how == Exit::How::exited && (exit->code == 0 || exit->code == kSomeRuleFailed);
  if (!is_good) return failure_of(*exit);
  const Fd results(::open(arf.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!results) return errno_error("open " + arf, errno);
  auto scan = read_scan(results.get(), arf);
  if (!scan) return scan;
  scan->data_stream_sha256 = *std::move(digest);
  if (auto kept = rename_durable(arf, evaluation.directory + "/arf.xml"); !kept) {
    return kept.error();
  }
  return scan;
}

}  // namespace vouch::openscap
