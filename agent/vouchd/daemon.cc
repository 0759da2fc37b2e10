// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "agent/vouchd/control.h"
#include "agent/vouchd/control_commands.h"
#include "agent/vouchd/control_server.h"
#include "agent/vouchd/health.h"
#include "agent/vouchd/idle_memory.h"
#include "agent/vouchd/pulse.h"
#include "core/log.h"
#include "core/notify.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kJobsMax = 32;
// A failing agent (disk full, damaged blob) is tried again, not in a busy loop.
constexpr std::int64_t kRetryMs = 5000;
// No step of the worker but a run, which has a deadline of its own, takes as long as this.
constexpr std::chrono::seconds kStepPatience{120};
constexpr std::int64_t kIdleMs = 1000;

void wake(int event) {
  const std::uint64_t one = 1;
  // Fails only if the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

void drain(int fd) {
  std::array<char, 4096> buffer;
  while (::read(fd, buffer.data(), buffer.size()) > 0) {
  }
}

// Of two timeouts of poll(2); -1 is for ever.
int sooner(int timeout, int other) {
  return timeout < 0 ? other : std::min(timeout, other);
}

}  // namespace

// `mutex` guards jobs, stopping, stop_reason, finished, status and adopted; everything else has one
// thread: the agent the worker, descriptors and connections the main one.
struct Daemon::Loop {
  Loop(std::string path, Config loaded, const Clock& the_clock, Runner& the_runner,
       HostLoad& the_load, HostFacts facts, std::string digest, OpenWatchSource watch)
      : config_path(std::move(path)),
        config(std::move(loaded)),
        clock(the_clock),
        runner(the_runner, pulse),
        load(the_load),
        host(std::move(facts)),
        executable(std::move(digest)),
        desk(std::move(watch)) {}

  std::string config_path;
  Config config;
  const Clock& clock;
  Pulse pulse;  // Of the worker.
  PulsedRunner runner;
  HostLoad& load;
  HostFacts host;
  std::string executable;
  std::unique_ptr<Agent> agent;
  WatchDesk desk;

  Fd signals, inotify, done_event;
  ControlServer control;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  bool stopping = false;
  std::string stop_reason;
  int exit_status = 0;
  bool finished = false;
  json::Value status;  // As of the worker's last step: who asks need not wait for a run to end.
  std::optional<Config> adopted;  // A new configuration, for the main thread to watch by.

  Status open_descriptors();
  void work();
  void publish_status();
  std::int64_t turn();
  bool post(std::function<void()> job);
  void reload();
  void read_again();
  int wait();
  void on_signal();
  void on_line(Fd connection, std::string_view line);
  void serve(int fd, std::optional<uid_t> peer, const json::Value& request);
  void look_at_watches(bool readable);
};

Status Daemon::Loop::open_descriptors() {
  if (auto made = make_directories(config.receipts_dir(), 0750); !made) return made;
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  // Before the worker starts, so that it inherits the mask and never sees them.
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return errno_error("signalfd", errno);
  done_event = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!done_event) return errno_error("eventfd", errno);
  inotify = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return errno_error("inotify", errno);
  if (inotify_add_watch(inotify.get(), config.receipts_dir().c_str(), IN_MOVED_TO) < 0) {
    return errno_error("watch " + config.receipts_dir(), errno);
  }
  return control.listen(config.control_socket());
}

// False: so many wait already that this one is not taken.
bool Daemon::Loop::post(std::function<void()> job) {
  const std::lock_guard lock(mutex);
  if (jobs.size() >= kJobsMax) return false;
  jobs.push_back(std::move(job));
  changed.notify_one();
  return true;
}

// One look at the clock by the agent; how long to wait until the next.
std::int64_t Daemon::Loop::turn() {
  if (auto done = agent->poll(); !done) {
    log::error(done.error().message);
    if (done.error().code == Errc::corrupt && agent->is_damaged()) {
      const std::lock_guard lock(mutex);  // The next start sets the ledger aside.
      stopping = true;
      stop_reason = "damaged";
      exit_status = 1;
    }
    return kRetryMs;
  }
  const std::int64_t wait = agent->wait_ms();
  if (wait > kIdleMs) release_idle_memory(agent->state().ledger.database());
  return wait;
}

void Daemon::Loop::publish_status() {
  json::Value fresh = agent->status();
  // Not durable, and nothing depends on it: a monitoring agent reads it, or does not.
  const std::string path = config.metrics_file();
  const std::string tmp = path + ".tmp";
  if (const Fd file{::open(tmp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)}) {
    const auto text = write_metrics(fresh, clock.wall_ms() / 1000);
    if (write_all(file.get(), text, tmp)) ::rename(tmp.c_str(), path.c_str());
  }
  const std::lock_guard lock(mutex);
  status = std::move(fresh);
}

void Daemon::Loop::work() {
  publish_status();
  if (auto started = agent->start(); !started) {
    log::error(started.error().message);
    const std::lock_guard lock(mutex);
    exit_status = 1;
    finished = true;
    return wake(done_event.get());
  }
  log::info("started", {{"event", "agent-start"}});
  notify_manager("READY=1");
  for (;;) {
    pulse.promise(kStepPatience);
    const std::int64_t wait = turn();
    publish_status();
    pulse.promise(std::chrono::milliseconds(wait) + kStepPatience);
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(wait),
                     [&] { return stopping || !jobs.empty(); });
    if (stopping) break;
    auto taken = std::exchange(jobs, {});
    lock.unlock();
    for (const auto& job : taken) {
      pulse.promise(kStepPatience);
      job();
    }
  }
  pulse.promise(kStepPatience);
  if (auto stopped = agent->stop(stop_reason); !stopped) {
    log::error(stopped.error().message);
    exit_status = 1;
  }
  const std::lock_guard lock(mutex);
  finished = true;
  wake(done_event.get());
}

// A new configuration is a new agent over the same state: it stops, and starts with what is new.
void Daemon::Loop::reload() {
  notify_manager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", clock.monotonic_us()));
  read_again();
  notify_manager("READY=1");
}

void Daemon::Loop::read_again() {
  auto fresh = load_config(config_path, geteuid());
  if (!fresh) return log::error("reload: " + fresh.error().message + "; the old one stays");
  if (fresh->state_dir != config.state_dir || fresh->runtime_dir != config.runtime_dir ||
      fresh->collect_sockets != config.collect_sockets) {
    return log::error(
        "reload: state_dir, runtime_dir and collect_sockets change by a restart only");
  }
  auto next = Agent::open(*fresh, clock, runner, host, executable, &load);
  if (!next) return log::error("reload: " + next.error().message + "; the old one stays");
  if (auto stopped = agent->stop("reload"); !stopped) {
    return log::error("reload: " + stopped.error().message);
  }
  for (const auto& [collector, cause] : agent->triggered()) (*next)->trigger(collector, cause);
  agent = *std::move(next);
  if (auto started = agent->start(); !started) log::error("reload: " + started.error().message);
  log::info("configuration read again", {{"event", "config-change"}});
  const std::lock_guard lock(mutex);
  adopted = *std::move(fresh);
  wake(done_event.get());
}

void Daemon::Loop::on_signal() {
  struct signalfd_siginfo info {};
  while (::read(signals.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      if (!post([this] { reload(); })) log::error("reload: too much is asked at once: try again");
      continue;
    }
    log::info("stopping", {{"event", "agent-stop"}});
    notify_manager("STOPPING=1");
    const std::lock_guard lock(mutex);
    stopping = true;
    stop_reason = info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";
    runner.cancel();
    changed.notify_one();
  }
}

// On the worker: answers, and closes.
void Daemon::Loop::serve(int fd, std::optional<uid_t> peer, const json::Value& request) {
  const json::Value answer = peer ? serve_command(*agent, request, *peer)
                                  : control_failure("only root and the daemon's user may do that");
  publish_status();
  reply(fd, answer);
}

void Daemon::Loop::on_line(Fd connection, std::string_view line) {
  auto request = json::parse(line);
  if (request && json::get_string(*request, "command").value_or("") == "status") {
    const std::lock_guard lock(mutex);
    return reply(connection.get(), json::Object{{"ok", true}, {"status", status}});
  }
  const auto peer = privileged_peer(connection.get());
  // The job owns the descriptor; std::function wants something that can be copied.
  auto fd = std::make_shared<Fd>(std::move(connection));
  const json::Value value = request ? *std::move(request) : json::Value();
  const bool taken = post([this, fd, peer, value] { serve(fd->get(), peer, value); });
  if (!taken) reply(fd->get(), control_failure("too much is asked at once: try again in a while"));
}

void Daemon::Loop::look_at_watches(bool readable) {
  std::optional<Config> fresh;
  {
    const std::lock_guard lock(mutex);
    fresh.swap(adopted);
  }
  const std::int64_t now_us = clock.monotonic_us();
  if (fresh) desk.adopt(*fresh, now_us);
  // After adopt() the descriptor that was readable is gone.
  for (const WatchChange& due : desk.look(readable && !fresh, now_us)) {
    // The next turn runs it.
    const bool taken = post([this, due] { agent->trigger(due.collector, due.path); });
    if (!taken) log::warn(due.collector + ": a change of " + due.path + " waits for the schedule");
  }
}

int Daemon::Loop::wait() {
  const auto watchdog = watchdog_interval();
  desk.adopt(config, clock.monotonic_us());
  for (;;) {
    // A worker that keeps none of its promises gets no more time: systemd starts the daemon again.
    if (watchdog && pulse.beats()) notify_manager("WATCHDOG=1");
    std::vector<struct pollfd> polled{{signals.get(), POLLIN, 0},
                                      {inotify.get(), POLLIN, 0},
                                      {done_event.get(), POLLIN, 0},
                                      {desk.fd(), POLLIN, 0}};
    const std::size_t fixed = polled.size();
    control.add_to(polled);
    // Idle, nothing here has a timeout but the watchdog: the worker alone looks at the clock.
    int timeout = desk.timeout_ms(clock.monotonic_us());
    if (control.has_connections()) timeout = sooner(timeout, 1000);
    if (watchdog) timeout = sooner(timeout, static_cast<int>(watchdog->count() / 1000 / 3));
    if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) return 1;
    if (polled[0].revents != 0) on_signal();
    if (polled[1].revents != 0) {
      drain(inotify.get());
      // The next turn looks at receipts/. Full: one is coming anyway.
      [[maybe_unused]] const bool taken = post([] {});
    }
    if (polled[2].revents != 0) drain(done_event.get());
    look_at_watches(polled[3].revents != 0);
    {
      const std::lock_guard lock(mutex);
      if (finished) return exit_status;
    }
    control.look(polled, fixed,
                 [this](Fd fd, const std::string& line) { on_line(std::move(fd), line); });
  }
}

Daemon::Daemon(std::string config_path, Config config, const Clock& clock, Runner& runner,
               HostLoad& load, HostFacts host, std::string executable, OpenWatchSource watch)
    : loop_(std::make_unique<Loop>(std::move(config_path), std::move(config), clock, runner, load,
                                   std::move(host), std::move(executable), std::move(watch))) {}

Daemon::~Daemon() = default;

int Daemon::run(std::unique_ptr<Agent> agent) {
  loop_->agent = std::move(agent);
  if (auto opened = loop_->open_descriptors(); !opened) {
    log::error(opened.error().message);
    return 1;
  }
  std::thread worker([this] { loop_->work(); });
  const int status = loop_->wait();
  worker.join();
  loop_->agent.reset();
  // The socket goes with us; if that fails, the next start removes it.
  [[maybe_unused]] const auto removed = remove_file(loop_->config.control_socket());
  return status;
}

}  // namespace vouch::agent
