// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/ask.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ostream>

#include "agent/vouchd/control.h"

namespace vouch::cli {
namespace {

// A run may be under way; it has its own deadline.
constexpr std::chrono::milliseconds kDeadline{60'000};

}  // namespace

Result<json::Value> ask_daemon(const Places& places, const json::Value& request) {
  return agent::control_request(places.config.control_socket(), request, kDeadline);
}

int fail_daemon(const Error& error, const Places& places, const Output& output) {
  if (error.code == Errc::not_found || error.code == Errc::unavailable) {
    output.err << fmt::format(
        "vouch: no vouchd answers at {}: start it (`systemctl start vouchd`), or name its "
        "configuration with --config\n",
        places.config.control_socket());
    return kExitUnavailable;
  }
  if (error.code == Errc::denied && ::geteuid() != 0) {
    output.note("only root and the daemon's user and group may ask it: try sudo");
  }
  return output.fail(error);
}

std::string user_name() {
  const char* behind = ::geteuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
  if (behind != nullptr && *behind != '\0') return behind;
  const struct passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

}  // namespace vouch::cli
