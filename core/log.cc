// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <errno.h>  // program_invocation_short_name
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "core/clock.h"
#include "core/journal.h"

namespace vouch::log {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

// The logger's settings are the one piece of mutable state that the whole program shares.
std::atomic<Level> current_level{Level::info};
std::atomic<const char*> journal_socket{journal::kSocket};

std::string_view name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

// The priorities of syslog(3), which are the journal's.
char priority(Level level) {
  switch (level) {
    case Level::debug:
      return '7';
    case Level::info:
      return '6';
    case Level::warn:
      return '4';
    case Level::error:
      return '3';
  }
  return '3';
}

// A message may quote what a collector or the store sent: control bytes become "?", so that nobody
// outside can write a line of their own into the log or steer a terminal.
std::string printable(std::string_view message) {
  std::string line(message.substr(0, kLineBytesMax));
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return line;
}

std::string journal_entry(Level level, std::string_view message, const Fields& fields) {
  std::string entry;
  journal::append_field(entry, "MESSAGE", message);
  journal::append_field(entry, "PRIORITY", std::string_view{std::string(1, priority(level))});
  journal::append_field(entry, "SYSLOG_IDENTIFIER", ::program_invocation_short_name);
  for (const auto& [name, value] : fields) {
    std::string known = "VOUCH_";
    for (const char c : name) known += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    journal::append_field(entry, known, printable(value));
  }
  return entry;
}

void write_line(Level level, std::string_view message, const Fields& fields) {
  if (level < current_level.load(std::memory_order_relaxed)) return;
  const std::string text = printable(message);
  const bool journal = journal::takes_stderr();
  if (journal && journal::send(journal_entry(level, text, fields), journal_socket.load())) return;
  std::string line =
      journal ? std::string{'<', priority(level), '>'}
              : fmt::format("{} {} ", format_instant(SystemClock().wall_ms()), name(level));
  line += text + '\n';
  // One write(2) per line keeps lines of several threads whole. If stderr is gone nobody can be
  // told.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void set_level(Level level) {
  current_level.store(level, std::memory_order_relaxed);
}
void set_journal_socket(const char* path) {
  journal_socket.store(path);
}
void debug(std::string_view message, const Fields& fields) {
  write_line(Level::debug, message, fields);
}
void info(std::string_view message, const Fields& fields) {
  write_line(Level::info, message, fields);
}
void warn(std::string_view message, const Fields& fields) {
  write_line(Level::warn, message, fields);
}
void error(std::string_view message, const Fields& fields) {
  write_line(Level::error, message, fields);
}

}  // namespace vouch::log
