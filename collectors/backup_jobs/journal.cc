// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/journal.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/json.h"
#include "core/process.h"

namespace vouch::backup_jobs {
namespace {

constexpr const char* kProgram = "/usr/bin/journalctl";
// systemd's catalogue: "unit entered success state", "unit entered failed state with result".
constexpr std::string_view kSuccess = "7ad2d189f7e94e70a38c781354912448";
constexpr std::string_view kFailure = "d9b373ed55a64feb8242e02dbe79a49c";
constexpr std::chrono::seconds kDeadline{20};
constexpr std::size_t kAnswerBytesMax = std::size_t{8} << 20;

Result<Command> journal_command(const sdk::Context& context) {
  if (!context.is_host())
    return Error{Errc::unsupported, "no tool is run for an image: its journal is not read"};
  if (!context.root().exists(kProgram))
    return Error{Errc::not_found, std::string(kProgram) + " is not there"};
  Command command;
  command.argv = {kProgram, "--output=json", "--no-pager", "--quiet"};
  command.environment = default_environment();
  command.deadline = std::min<std::chrono::milliseconds>(context.remaining(), kDeadline);
  command.output_bytes_max = kAnswerBytesMax;
  return command;
}

// The first line that the command prints; empty if it prints none.
Result<std::string> first_line(Command command) {
  std::string text;
  const auto exit = run_process(std::move(command), [&](std::string_view piece) {
    text.append(piece);
    return text.find('\n') == std::string::npos;
  });
  if (!exit) return exit.error();
  if (exit->how == Exit::How::deadline)
    return Error{Errc::timeout, "journalctl did not answer in time"};
  return text.substr(0, text.find('\n'));
}

}  // namespace

Result<WallSeconds> parse_entry_time(std::string_view line) {
  const auto value = json::parse_foreign(line);
  if (!value) return Error(value.error()).in("journalctl's answer");
  const auto text = json::get_string(*value, "__REALTIME_TIMESTAMP");
  if (!text) return Error(text.error()).in("journalctl's answer");
  std::int64_t microseconds = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), microseconds);
  if (code != std::errc() || end != text->data() + text->size() || microseconds < 0)
    return Error{Errc::invalid, "journalctl's answer: no time"};
  return microseconds / 1000000;
}

Result<UnitRun> parse_run_line(std::string_view line) {
  const auto time = parse_entry_time(line);
  if (!time) return time.error();
  const auto value = json::parse_foreign(line);
  const auto id = json::get_string(*value, "MESSAGE_ID");
  const auto unit = json::get_string(*value, "UNIT");
  if (!id || !unit || (*id != kSuccess && *id != kFailure))
    return Error{Errc::invalid, "journalctl's answer: not the end of a run"};
  const std::string result = json::get_string(*value, "UNIT_RESULT").value_or("failed");
  return UnitRun{*unit, *time, *id == kSuccess ? "success" : result};
}

Result<std::vector<UnitRun>> unit_runs(const sdk::Context& context,
                                       const std::vector<std::string>& units, int days) {
  auto command = journal_command(context);
  if (!command) return std::move(command).error();
  command->argv.push_back("--since=-" + std::to_string(days) + "d");
  for (const std::string& unit : units) {
    for (const std::string_view id : {kSuccess, kFailure}) {
      if (command->argv.back().starts_with("MESSAGE_ID")) command->argv.emplace_back("+");
      command->argv.push_back("UNIT=" + unit);
      command->argv.push_back("MESSAGE_ID=" + std::string(id));
    }
  }
  const auto exit = run_process(*std::move(command));
  if (!exit) return exit.error();
  if (exit->how != Exit::How::exited || exit->code != 0)
    return Error{Errc::tool_failed, "journalctl did not answer"};
  std::vector<UnitRun> runs;
  for (std::string_view rest = exit->standard_output; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto run = parse_run_line(line);
    if (!run) return std::move(run).error();
    runs.push_back(*std::move(run));
  }
  return runs;
}

Result<JournalSpan> journal_span(const sdk::Context& context, const std::string& unit) {
  auto command = journal_command(context);
  if (!command) return std::move(command).error();
  command->argv.push_back("--unit=" + unit);
  const auto oldest = first_line(*command);
  if (!oldest) return oldest.error();
  if (oldest->empty()) return JournalSpan{};
  command->argv.emplace_back("--lines=1");
  const auto newest = first_line(*std::move(command));
  if (!newest) return newest.error();
  const auto first = parse_entry_time(*oldest);
  const auto last = parse_entry_time(*newest);
  if (!first) return first.error();
  if (!last) return last.error();
  return JournalSpan{true, *first, *last};
}

}  // namespace vouch::backup_jobs
