// SPDX-License-Identifier: Apache-2.0
#include "store/descriptors.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace vouch;
using namespace vouch::store;

namespace {

// Runs `body` in a process of its own, whose limits it may spoil; its result is the exit code.
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("the limit of open files is raised to what is needed", "[descriptors]") {
  CHECK(in_child([] {
          const rlimit low{64, 4096};
          if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 1;
          const auto raised = raise_descriptor_limit(1280);
          rlimit now{};
          ::getrlimit(RLIMIT_NOFILE, &now);
          return raised && *raised == 1280 && now.rlim_cur == 1280 ? 0 : 2;
        }) == 0);
}

TEST_CASE("a limit that may not be raised that far is raised as far as it goes", "[descriptors]") {
  CHECK(in_child([] {
          const rlimit low{64, 500};
          if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 1;
          if (::geteuid() == 0 && ::setuid(65534) != 0) return 3;  // Root may raise it.
          const auto raised = raise_descriptor_limit(1280);
          return raised && *raised == 500 ? 0 : 2;
        }) == 0);
}

TEST_CASE("connections fit beside what else the store opens, or the message says what to do",
          "[descriptors]") {
  CHECK(*connections_that_fit(1024, 65536) == 1024);
  CHECK(*connections_that_fit(1024, kDescriptorsBesideConnections + 10) == 10);

  const auto none = connections_that_fit(1024, kDescriptorsBesideConnections);
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Catch::Contains("LimitNOFILE"));
}
