// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "core/file.h"

namespace vouch {
namespace {

// What `body` writes to standard error.
template <typename Body>
std::string captured(const Body& body) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const Fd saved(dup(STDERR_FILENO));
  REQUIRE(dup2(ends[1], STDERR_FILENO) >= 0);
  ::close(ends[1]);
  body();
  REQUIRE(dup2(saved.get(), STDERR_FILENO) >= 0);
  const Fd read_end(ends[0]);
  auto text = read_all(read_end.get(), 1 << 16, "captured log");
  REQUIRE(text);
  return *text;
}

}  // namespace

TEST_CASE("a log line has time, level and message", "[log]") {
  unsetenv("JOURNAL_STREAM");

  const auto text = captured([] { log::warn("spool is 80 % full"); });

  CHECK_THAT(text, Catch::Matches("[0-9-]{10}T[0-9:.]{12}Z warn spool is 80 % full\n"));
}

TEST_CASE("under the journal a line starts with its priority", "[log]") {
  setenv("JOURNAL_STREAM", "8:1", 1);

  const auto text = captured([] { log::error("no space"); });
  unsetenv("JOURNAL_STREAM");

  CHECK(text == "<3>no space\n");
}

TEST_CASE("lines below the level are not written", "[log]") {
  const auto text = captured([] {
    log::set_level(log::Level::warn);
    log::info("quiet");
    log::set_level(log::Level::info);
  });

  CHECK(text.empty());
}

TEST_CASE("a message cannot forge a line of its own", "[log]") {
  unsetenv("JOURNAL_STREAM");

  const auto text = captured([] { log::info("bad\n2026-11-21 error forged\x1b[2J"); });

  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find('\x1b') == std::string::npos);
}

}  // namespace vouch
