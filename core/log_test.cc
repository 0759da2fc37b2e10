// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <errno.h>  // program_invocation_short_name
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "core/file.h"
#include "core/journal.h"

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

namespace {

// A journal of our own, which says what it was sent.
class Journal {
 public:
  Journal() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0);
    log::set_journal_socket(path_.c_str());
  }
  ~Journal() {
    ::unlink(path_.c_str());
    log::set_journal_socket(journal::kSocket);
    unsetenv("JOURNAL_STREAM");
  }
  std::string received() const {
    std::string entry(4096, '\0');
    const ssize_t n = ::recv(fd_.get(), entry.data(), entry.size(), MSG_DONTWAIT);
    return entry.substr(0, n < 0 ? 0 : static_cast<std::size_t>(n));
  }

 private:
  Fd fd_;
  std::string path_ = fmt::format("/tmp/vouch-journal-{}", ::getpid());
};

// As systemd does for a service.
void name_stderr_as_journal() {
  struct stat status {};
  REQUIRE(::fstat(STDERR_FILENO, &status) == 0);
  setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
}

}  // namespace

TEST_CASE("the journal gets an entry with fields", "[log]") {
  const Journal journal;

  const auto text = captured([] {
    name_stderr_as_journal();
    log::error("no space\nleft", {{"run", "config_drift/7"}, {"reason", "two\nlines"}});
  });

  CHECK(text.empty());
  CHECK(journal.received() == std::string("MESSAGE=no space?left\nPRIORITY=3\nSYSLOG_IDENTIFIER=") +
                                  ::program_invocation_short_name +
                                  "\nVOUCH_RUN=config_drift/7\nVOUCH_REASON=two?lines\n");
}

TEST_CASE("a field of several lines carries its length", "[log]") {
  std::string entry;

  journal::append_field(entry, "MESSAGE", "a\nb");

  CHECK(entry == std::string("MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n", 20));
}

TEST_CASE("where no journal listens, a line starts with its priority", "[log]") {
  log::set_journal_socket("/nonexistent/socket");

  const auto text = captured([] {
    name_stderr_as_journal();
    log::error("no space");
  });
  log::set_journal_socket(journal::kSocket);
  unsetenv("JOURNAL_STREAM");

  CHECK(text == "<3>no space\n");
}

TEST_CASE("standard error that leads elsewhere is not the journal's", "[log]") {
  const Journal journal;
  setenv("JOURNAL_STREAM", "8:1", 1);

  const auto text = captured([] { log::error("no space"); });

  CHECK_THAT(text, Catch::EndsWith("Z error no space\n"));
  CHECK(journal.received().empty());
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
