// SPDX-License-Identifier: Apache-2.0
// vouchd: schedules, runs, judges and seals. See vouchd(8) and docs/configuration.md.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/agent.h"
#include "agent/vouchd/daemon.h"
#include "agent/vouchd/direct_runner.h"
#include "agent/vouchd/host_load.h"
#include "agent/vouchd/socket_runner.h"
#include "agent/vouchd/state.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

constexpr int kExitUsage = 64;  // sysexits(3)
constexpr const char* kOwnProgram = "/proc/self/exe";

constexpr const char* kHelp =
    R"(usage: vouchd [--config FILE] [--once | --check]

  --config FILE  the configuration (default /etc/vouch/vouchd.yaml)
  --once         run every collector once, judge, seal, and exit; no store is needed
  --check        read the configuration, and exit: 0, or 78 with file:line:column
  --version      print the version

Without --once or --check it stays in the foreground until SIGTERM. SIGHUP reads the configuration
again. It never talks to the network: vouch-ship delivers what it seals.
)";

struct Arguments {
  std::string config = "/etc/vouch/vouchd.yaml";
  bool once = false;
  bool check = false;
};

log::Level level_of(std::string_view name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warn") return log::Level::warn;
  return name == "error" ? log::Level::error : log::Level::info;
}

int fail(const Error& error, int status) {
  log::error(error.message);
  return status;
}

int run_once(Agent& agent) {
  if (auto done = agent.start(); !done) return fail(done.error(), 1);
  if (auto done = agent.collect_all(Trigger::manual); !done) return fail(done.error(), 1);
  if (auto done = agent.housekeep(); !done) return fail(done.error(), 1);
  if (auto done = agent.stop("once"); !done) return fail(done.error(), 1);
  return 0;
}

int run(const Arguments& arguments) {
  auto config = load_config(arguments.config, geteuid());
  if (!config) return fail(config.error(), kExitConfig);
  log::set_level(level_of(config->log_level));
  if (arguments.check) return 0;
  const auto lock = lock_state(config->state_dir);
  if (!lock) return fail(lock.error(), 1);
  auto host = read_host_facts(config->host);
  if (!host) return fail(host.error(), 1);

  const SystemClock clock;
  SystemLoad load;
  std::unique_ptr<Runner> runner;
  OpenWatchSource watch = open_watcher;
  if (config->collect_sockets.empty()) {
    runner = std::make_unique<DirectRunner>(clock, config->state_dir + "/cache");
  } else {
    runner = std::make_unique<SocketRunner>(clock, config->collect_sockets);
    watch = open_watch_stream(config->collect_sockets);
  }
  auto agent = Agent::open(*config, clock, *runner, *host, kOwnProgram, &load);
  if (!agent) return fail(agent.error(), agent.error().code == Errc::invalid ? kExitConfig : 1);
  if (arguments.once) return run_once(**agent);
  Daemon daemon(arguments.config, *std::move(config), clock, *runner, load, *host, kOwnProgram,
                std::move(watch));
  return daemon.run(*std::move(agent));
}

int parse_and_run(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto word = words[i];
    if (word == "--once") {
      arguments.once = true;
    } else if (word == "--check") {
      arguments.check = true;
    } else if (word == "--foreground") {
      continue;  // It always is; systemd and people both say so.
    } else if (word == "--config" && i + 1 < words.size()) {
      arguments.config = words[++i];
    } else if (word == "--help" || word == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    } else if (word == "--version") {
      std::puts("vouchd " VOUCH_VERSION);
      return 0;
    } else if (word == "--config") {
      std::fputs("vouchd: --config needs a FILE\n", stderr);
      return kExitUsage;
    } else {
      std::fprintf(stderr, "vouchd: unknown argument %s\n%s", std::string(word).c_str(), kHelp);
      return kExitUsage;
    }
  }
  return run(arguments);
}

}  // namespace
}  // namespace vouch::agent

int main(int argc, char** argv) {
  // One heap for both threads, who seldom want it at once: what the worker frees, goes back to the
  // system (daemon.cc), and nothing waits in a second one.
  mallopt(M_ARENA_MAX, 1);
  try {
    return vouch::agent::parse_and_run({argv, argv + argc});
  } catch (const std::exception& exception) {  // A bug or no memory: systemd starts us again.
    vouch::log::error(exception.what());
    return 1;
  }
}
