// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "core/clock.h"

namespace vouch::log {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

// The logger's level is the one piece of mutable state that the whole program shares.
std::atomic<Level> current_level{Level::info};

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

// The priorities of syslog(3), as the journal reads them from the front of a line.
std::string_view journal_prefix(Level level) {
  switch (level) {
    case Level::debug:
      return "<7>";
    case Level::info:
      return "<6>";
    case Level::warn:
      return "<4>";
    case Level::error:
      return "<3>";
  }
  return "<3>";
}

// A message may quote what a collector or the store sent: control bytes become "?", so that nobody
// outside can write a line of their own into the log or steer a terminal.
void append_printable(std::string& line, std::string_view message) {
  for (const char c : message.substr(0, kLineBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    line += (byte < 0x20 || byte == 0x7f) ? '?' : c;
  }
}

void write_line(Level level, std::string_view message) {
  if (level < current_level.load(std::memory_order_relaxed)) return;
  std::string line;
  if (std::getenv("JOURNAL_STREAM") != nullptr) {
    line += journal_prefix(level);
  } else {
    line += format_instant(SystemClock().wall_ms());
    line += ' ';
    line += name(level);
    line += ' ';
  }
  append_printable(line, message);
  line += '\n';
  // One write(2) per line keeps lines of several threads whole. If stderr is gone nobody can be
  // told.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void set_level(Level level) {
  current_level.store(level, std::memory_order_relaxed);
}
void debug(std::string_view message) {
  write_line(Level::debug, message);
}
void info(std::string_view message) {
  write_line(Level::info, message);
}
void warn(std::string_view message) {
  write_line(Level::warn, message);
}
void error(std::string_view message) {
  write_line(Level::error, message);
}

}  // namespace vouch::log
