// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "core/escape.h"
#include "core/process.h"
#include "core/redact.h"

namespace vouch::command {
namespace {

constexpr std::size_t kOutputBytesMax = std::size_t{16} << 20;
constexpr std::size_t kComplaintBytesMax = 300;

bool is_script(const Fd& program) {
  std::array<char, 2> head{};
  return ::pread(program.get(), head.data(), head.size(), 0) == 2 && head[0] == '#' &&
         head[1] == '!';
}

// What a command says of its failure: ": …", or nothing.
std::string complaint_of(std::string_view standard_error) {
  const auto begin = standard_error.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  const auto line = standard_error.substr(begin, standard_error.find('\n', begin) - begin);
  return ": " + redact(Redaction::command, escape_bytes(line.substr(0, kComplaintBytesMax)));
}

Result<std::string> judge_exit(const CommandSpec& spec, Exit exit) {
  const auto error = [&](Errc code, const std::string& what) {
    return Error{code, spec.argv[0] + " " + what + complaint_of(exit.standard_error)};
  };
  switch (exit.how) {
    case Exit::How::signalled:
      return error(Errc::tool_failed,
                   fmt::format("was killed by signal {} ({})", exit.code, ::strsignal(exit.code)));
    case Exit::How::deadline:
      return error(Errc::timeout, "did not end in time and was killed");
    case Exit::How::output_too_large:
      return error(Errc::too_large, "printed more than 16 MiB and was killed");
    case Exit::How::cancelled:
      return error(Errc::timeout, "was stopped");
    case Exit::How::exited:
      break;
  }
  const auto found = spec.exits.find(exit.code);
  const auto with_code = [&](std::string_view what) {
    return fmt::format("exited with {}{}", exit.code, what);
  };
  switch (found == spec.exits.end() ? Meaning::failed : found->second) {
    case Meaning::rows:
      return std::move(exit.standard_output);
    case Meaning::nothing:
      if (exit.standard_output.empty()) return std::string();
      return error(Errc::invalid, with_code(", which is to mean that there is nothing, and printed "
                                            "something"));
    case Meaning::not_supported:
      return error(Errc::unsupported, with_code(""));
    case Meaning::not_found:
      return error(Errc::not_found, with_code(""));
    case Meaning::denied:
      return error(Errc::denied, with_code(""));
    case Meaning::failed:
      break;
  }
  return error(Errc::tool_failed, with_code(""));
}

}  // namespace

Result<Program> look_at_program(const Root& root, const std::string& path) {
  if (auto trusted = require_trusted_path(path, ::geteuid()); !trusted) return trusted.error();
  const auto fd = root.open_file(path);
  if (!fd) return fd.error();
  const auto mark = file_mark(fd->get(), path);
  if (!mark) return mark.error();
  auto digest = file_digest(fd->get(), path);
  if (!digest) return std::move(digest).error();
  return Program{*std::move(digest), *mark};
}

Result<std::string> run_program(const Root& root, const CommandSpec& spec, const Program& program,
                                std::chrono::milliseconds deadline) {
  const std::string& path = spec.argv[0];
  const auto fd = root.open_file(path);
  if (!fd) return fd.error();
  const Error replaced{Errc::other, path + ": was replaced while it was looked at"};
  const auto is_same = [&](const Result<FileMark>& mark) { return mark && *mark == program.mark; };
  if (!is_same(file_mark(fd->get(), path))) return replaced;
  Command command;
  command.argv = spec.argv;
  command.environment = default_environment();
  command.deadline = std::min<std::chrono::milliseconds>(deadline, spec.timeout);
  command.output_bytes_max = kOutputBytesMax;
  // An interpreter opens its script by name; everything else runs from the file looked at.
  const bool by_name = is_script(*fd);
  if (!by_name) command.program_fd = fd->get();
  auto exit = run_process(std::move(command));
  if (!exit) return std::move(exit).error();
  if (by_name && !is_same(file_mark(path))) return replaced;
  return judge_exit(spec, *std::move(exit));
}

}  // namespace vouch::command
