// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/crontab.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "collectors/facts/lines.h"
#include "core/redact.h"

namespace vouch::drift {
namespace {

using facts::each_line;
using facts::take_line;
using facts::take_word;
using facts::trim;

constexpr int kTimeFields = 5;

// "NAME = value". A time begins with a digit, "*" or "@", and never holds "=".
bool is_variable(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  const std::string_view name = trim(line.substr(0, equals));
  const bool is_time = name.empty() || name[0] == '*' || name[0] == '@' ||
                       (name[0] >= '0' && name[0] <= '9') || name[0] == '-';
  return !is_time && name.find_first_of(" \t") == std::string_view::npos;
}

std::string without_input(std::string_view command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] == '\\') {
      ++i;
    } else if (command[i] == '%') {
      const bool has_input = i + 1 < command.size();
      return std::string(command.substr(0, i + 1)) + std::string(has_input ? kRedacted : "");
    }
  }
  return std::string(command);
}

bool parse_line(std::string_view line, bool has_user, ScheduledJob& job) {
  if (line.starts_with('-')) line.remove_prefix(1);  // Cronie: not logged.
  job.schedule = take_word(line);
  for (int i = 1; i < kTimeFields && !job.schedule.starts_with('@'); ++i) {
    job.schedule.append(" ").append(take_word(line));
  }
  if (has_user) job.username = take_word(line);
  job.command = without_input(trim(line));
  return !job.command.empty();
}

template <typename Number>
bool parse_hex(std::string_view text, Number& out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// "marcinDELIMITER1a2b3c4d" of "${SHELL:-/bin/sh} << 'marcinDELIMITER1a2b3c4d'"; else empty.
std::string_view here_document(std::string_view line) {
  const std::size_t mark = line.rfind("<< '");
  if (mark == std::string_view::npos || !line.ends_with('\'')) return {};
  return line.substr(mark + 4, line.size() - mark - 5);
}

// at(1) writes umask, variables and `cd`, which ends with a brace alone, before the job itself.
std::string body_of(std::string_view text) {
  while (!text.empty() && take_line(text) != "}") {
  }
  std::string body;
  std::string_view delimiter;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    if (body.empty() && delimiter.empty()) {
      delimiter = here_document(line);
      if (!delimiter.empty()) continue;
    }
    if (!delimiter.empty() && line == delimiter) break;
    body += (body.empty() ? "" : "\n") + std::string(line);
  }
  return body;
}

}  // namespace

Crontab parse_crontab(std::string_view text, std::string_view source, bool has_user,
                      std::string_view username) {
  Crontab crontab;
  each_line(text, [&](std::string_view line, int number) {
    if (is_variable(line)) return;
    ScheduledJob job{"cron", std::string(source), "", std::string(username), ""};
    if (parse_line(line, has_user, job)) {
      crontab.jobs.push_back(std::move(job));
    } else {
      crontab.faults.push_back(number);
    }
  });
  return crontab;
}

Crontab parse_anacrontab(std::string_view text, std::string_view source) {
  Crontab crontab;
  each_line(text, [&](std::string_view line, int number) {
    if (is_variable(line)) return;
    const std::string_view period = take_word(line);
    const std::string_view delay = take_word(line);
    const std::string_view identifier = take_word(line);
    const std::string_view command = trim(line);
    if (command.empty()) {
      crontab.faults.push_back(number);
      return;
    }
    crontab.jobs.push_back({"anacron", std::string(source),
                            fmt::format("{} {} {}", period, delay, identifier), "root",
                            std::string(command)});
  });
  return crontab;
}

std::optional<ScheduledJob> parse_at_job(std::string_view name, std::string_view text,
                                         std::string_view source) {
  // Queue, five digits of the job's number, eight of its minute since 1970.
  constexpr std::size_t kNameSize = 14;
  std::uint32_t number = 0;
  std::uint32_t minute = 0;
  if (name.size() != kNameSize || name[0] == '=' || !parse_hex(name.substr(1, 5), number) ||
      !parse_hex(name.substr(6), minute)) {
    return std::nullopt;
  }
  ScheduledJob job{"at", std::string(source), "", "", body_of(text)};
  job.schedule = fmt::format("{}", static_cast<std::int64_t>(minute) * 60);
  constexpr std::string_view kOwner = "# atrun uid=";
  const std::size_t owner = text.find(kOwner);
  if (owner != std::string_view::npos) {
    std::string_view rest = text.substr(owner + kOwner.size());
    job.username = fmt::format("#{}", take_word(rest));
  }
  return job;
}

}  // namespace vouch::drift
