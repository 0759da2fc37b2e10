// SPDX-License-Identifier: Apache-2.0
// vouch-collect: starts collectors for vouchd. See vouch-collect(8) and docs/privileges.md.
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collect/supervisor.h"
#include "core/log.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr int kExitUsage = 64;  // sysexits(3)
constexpr int kMountsFd = 0;    // StandardInput=file:/proc/1/mounts
constexpr std::size_t kTasksMax = 64;
// Address sanitizers reserve terabytes of address space; there the limit would only break them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kMemoryBytesMax = 0;
#else
constexpr std::size_t kMemoryBytesMax = std::size_t{1} << 30;
#endif

constexpr const char* kHelp =
    R"(usage: vouch-collect [--client USER] [--programs DIR]... [--idle SECONDS] [--one]

  --client USER   who may have collectors started, besides root (default vouch)
  --programs DIR  where collectors are (default /usr/libexec/vouch/collectors and
                  /usr/local/libexec/vouch/collectors)
  --idle SECONDS  exit when nobody has asked for so long (default 10)
  --one           exit after one start: a unit for each run
  --version       print the version

Started by systemd with a socket that listens (LISTEN_FDS, Accept=no). CACHE_DIRECTORY is where the
collector may keep what it read.
)";

// "" if there is no directory of ours: then collectors work without.
std::string cache_root() {
  const char* given = std::getenv("CACHE_DIRECTORY");
  if (given == nullptr || given[0] != '/') return "";
  const std::string path = given;
  return path.substr(0, path.rfind('/'));  // Of several, the first would need a ":": none is.
}

int usage(const std::string& message) {
  std::fprintf(stderr, "vouch-collect: %s\n%s", message.c_str(), kHelp);
  return kExitUsage;
}

int start(const SupervisorOptions& options) {
  const Fd listener = handed_over_socket();
  if (!listener) return usage("no socket was handed over: systemd starts this program");
  // Nobody of this user may look into it: the collectors are of the same one.
  ::prctl(PR_SET_DUMPABLE, 0);
  return serve(listener, options);
}

int parse_and_start(const std::vector<std::string_view>& words) {
  SupervisorOptions options;
  std::string client = "vouch";
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto word = words[i];
    if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (word == "--version") {
      std::puts("vouch-collect " VOUCH_VERSION);
      return 0;
    }
    if (word == "--one") {
      options.one = true;
      continue;
    }
    if (i + 1 == words.size()) return usage("unknown argument, or one without its value");
    const std::string value(words[++i]);
    if (word == "--client") {
      client = value;
    } else if (word == "--programs") {
      options.program_dirs.push_back(value);
    } else if (word == "--idle") {
      int seconds = 0;
      const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (fault != std::errc() || *end != '\0' || seconds < 1 || seconds > 86400) {
        return usage("--idle wants 1 to 86400 seconds");
      }
      options.idle = std::chrono::seconds(seconds);
    } else {
      return usage("unknown argument " + std::string(word));
    }
  }
  if (options.program_dirs.empty()) {
    options.program_dirs = {"/usr/libexec/vouch/collectors", "/usr/local/libexec/vouch/collectors"};
  }
  options.clients = {0};
  if (const struct passwd* user = ::getpwnam(client.c_str())) {
    options.clients.push_back(user->pw_uid);
  } else {
    log::warn("there is no user " + client + ": only root may have collectors started");
  }
  options.cache_root = cache_root();
  options.mounts_fd = host_mounts_fd(kMountsFd);
  options.memory_bytes_max = kMemoryBytesMax;
  options.tasks_max = kTasksMax;
  return start(options);
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
