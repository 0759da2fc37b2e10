// SPDX-License-Identifier: Apache-2.0
#include "core/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/file.h"

namespace vouch {
namespace {

// Sets a variable of the environment for one scope.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("the service manager is told at its abstract socket", "[notify]") {
  const Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  const std::string name = "@vouch-notify-test-" + std::to_string(::getpid());
  std::memcpy(address.sun_path, name.data(), name.size());
  address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + name.size());
  REQUIRE(::bind(manager.get(), reinterpret_cast<const struct sockaddr*>(&address), size) == 0);
  const Variable socket("NOTIFY_SOCKET", name);

  notify_manager("READY=1");

  std::array<char, 64> buffer{};
  const ssize_t got = ::recv(manager.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  REQUIRE(got > 0);
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(got)) == "READY=1");
}

TEST_CASE("without a service manager nothing happens", "[notify]") {
  ::unsetenv("NOTIFY_SOCKET");
  notify_manager("READY=1");
  const Variable socket("NOTIFY_SOCKET", "/nonexistent/socket");
  notify_manager("READY=1");

  CHECK_FALSE(watchdog_interval());
}

TEST_CASE("the watchdog's interval is read if it is for this process", "[notify]") {
  const Variable interval("WATCHDOG_USEC", "3000000");
  CHECK(watchdog_interval() == std::chrono::seconds(3));
  {
    const Variable own("WATCHDOG_PID", std::to_string(::getpid()));
    CHECK(watchdog_interval() == std::chrono::seconds(3));
  }
  const Variable other("WATCHDOG_PID", "1");
  CHECK_FALSE(watchdog_interval());
}

TEST_CASE("an interval that is no number is none", "[notify]") {
  const auto text = GENERATE(as<std::string>{}, "", "0", "-5", "3s");
  const Variable interval("WATCHDOG_USEC", text);
  CHECK_FALSE(watchdog_interval());
}

}  // namespace vouch
