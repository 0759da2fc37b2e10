// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/host_mounts.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "core/file.h"

namespace vouch::sdk {
namespace {

// Puts a file with `text` at descriptor 3, whatever was there before, for one scope.
class HandedOver {
 public:
  explicit HandedOver(const std::string& text) : before_(::fcntl(3, F_DUPFD_CLOEXEC, 10)) {
    Fd file = memory_file(text).value();
    REQUIRE(::dup2(file.get(), 3) == 3);
    if (file.get() == 3) file.release();
    ::setenv("VOUCH_HOST_MOUNTS", "3", 1);
  }
  ~HandedOver() {
    ::unsetenv("VOUCH_HOST_MOUNTS");
    if (before_) {
      ::dup2(before_.get(), 3);
    } else {
      ::close(3);
    }
  }
  HandedOver(const HandedOver&) = delete;
  HandedOver& operator=(const HandedOver&) = delete;

 private:
  Fd before_;
};

}  // namespace

TEST_CASE("the mount table that was handed over is read whole, each time", "[host_mounts]") {
  std::string text;
  while (text.size() < 40'000) text += "proc /proc proc rw,nosuid 0 0\n";
  const HandedOver handed(text);

  CHECK(host_mounts(1 << 20).value() == text);
  CHECK(host_mounts(1 << 20).value() == text);
  CHECK(host_mounts(39'000).error().code == Errc::too_large);
}

TEST_CASE("without the variable no descriptor is touched", "[host_mounts]") {
  ::unsetenv("VOUCH_HOST_MOUNTS");
  CHECK(host_mounts(1 << 20).error().code == Errc::not_found);
  ::setenv("VOUCH_HOST_MOUNTS", "0", 1);
  CHECK(host_mounts(1 << 20).error().code == Errc::not_found);
  ::unsetenv("VOUCH_HOST_MOUNTS");
}

}  // namespace vouch::sdk
