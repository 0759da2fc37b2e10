// SPDX-License-Identifier: Apache-2.0
// vouch-watch: tells vouchd that a watched path changed. See vouch-watch(8), docs/privileges.md.
#include <pwd.h>
#include <sys/prctl.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "agent/watch/watch_holder.h"
#include "core/log.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr int kExitUsage = 64;  // sysexits(3)

constexpr const char* kHelp =
    R"(usage: vouch-watch [--client USER]

  --client USER  who may ask for watches, besides root (default vouch)
  --version      print the version

Started by systemd with a stream socket that listens (LISTEN_FDS, Accept=no). It exits when nobody
has asked for 10 s.
)";

int usage(const std::string& message) {
  std::fprintf(stderr, "vouch-watch: %s\n%s", message.c_str(), kHelp);
  return kExitUsage;
}

int start(const std::string& client) {
  const Fd listener = handed_over_socket();
  if (!listener) return usage("no socket was handed over: systemd starts this program");
  ::prctl(PR_SET_DUMPABLE, 0);
  WatchHolderOptions options;
  options.clients = {0};
  if (const struct passwd* user = ::getpwnam(client.c_str())) {
    options.clients.push_back(user->pw_uid);
  } else {
    log::warn("there is no user " + client + ": only root may ask for watches");
  }
  return hold_watches(listener, options);
}

int parse_and_start(const std::vector<std::string_view>& words) {
  std::string client = "vouch";
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto word = words[i];
    if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (word == "--version") {
      std::puts("vouch-watch " VOUCH_VERSION);
      return 0;
    }
    if (word != "--client") return usage("unknown argument " + std::string(word));
    if (i + 1 == words.size()) return usage("--client needs a USER");
    client = words[++i];
  }
  return start(client);
}

}  // namespace
}  // namespace vouch::agent

int main(int argc, char** argv) {
  try {
    return vouch::agent::parse_and_start({argv, argv + argc});
  } catch (const std::exception& exception) {  // A bug or no memory: the socket starts us again.
    vouch::log::error(exception.what());
    return 1;
  }
}
