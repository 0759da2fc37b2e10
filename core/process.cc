// SPDX-License-Identifier: Apache-2.0
#include "core/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "core/file.h"

namespace vouch {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr unsigned kExtraFd = 3;
constexpr unsigned kCloseAtExec = 1u << 2;  // CLOSE_RANGE_CLOEXEC, Linux 5.11.

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Standard input is a file in memory: there is no SIGPIPE either.
Result<Fd> make_input(const std::string& bytes) {
  if (!bytes.empty()) return memory_file(bytes);
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return errno_error("open /dev/null", errno);
  return null;
}

// All that the child needs between vfork and execve, made ready before: there it may neither
// allocate nor return, since it borrows the parent's memory.
struct Launch {
  std::vector<char*> argv;
  std::vector<char*> environment;
  int program = -1;
  int input = -1;
  int output = -1;
  int error = -1;
  int extra = -1;
  rlim_t memory = RLIM_INFINITY;
  rlim_t cpu = RLIM_INFINITY;
  rlim_t file = RLIM_INFINITY;
  rlim_t tasks = RLIM_INFINITY;
};

rlim_t limit_or_none(std::size_t value) {
  return value == 0 ? RLIM_INFINITY : static_cast<rlim_t>(value);
}

Launch prepare(const Command& command, const Fd& input, const Pipe& output, const Pipe& error) {
  Launch launch;
  for (const auto& word : command.argv) launch.argv.push_back(const_cast<char*>(word.c_str()));
  for (const auto& word : command.environment) {
    launch.environment.push_back(const_cast<char*>(word.c_str()));
  }
  launch.argv.push_back(nullptr);
  launch.environment.push_back(nullptr);
  launch.program = command.program_fd;
  launch.input = command.input_fd >= 0 ? command.input_fd : input.get();
  launch.output = command.output_fd >= 0 ? command.output_fd : output.write.get();
  launch.error = error.write.get();
  launch.extra = command.extra_fd;
  launch.memory = limit_or_none(command.memory_bytes_max);
  launch.cpu = limit_or_none(static_cast<std::size_t>(command.cpu_seconds_max));
  launch.file = limit_or_none(command.file_bytes_max);
  launch.tasks = limit_or_none(command.tasks_max);
  return launch;
}

bool set_limit(__rlimit_resource resource, rlim_t value) {
  if (value == RLIM_INFINITY) return true;
  const struct rlimit limit { value, value };
  return setrlimit(resource, &limit) == 0;
}

// Keeps standard input, output, error and the extra one. At exec and not now: the program itself
// is among the others.
bool close_others(const Launch& launch) {
  const unsigned first = launch.extra >= 0 ? kExtraFd + 1 : kExtraFd;
  if (syscall(SYS_close_range, first, ~0u, kCloseAtExec) == 0 || errno == ENOSYS) return true;
  // Linux 5.9 and 5.10 know no flag; there a program is started by its name only.
  return launch.program < 0 && syscall(SYS_close_range, first, ~0u, 0u) == 0;
}

// Runs in the child. Only system calls; returns errno of what failed. Never returns on success.
int become(const Launch& launch) {
  // The child's table of handlers is its own; ours must never run in there.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  if (setpgid(0, 0) != 0) return errno;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // If we are killed, it must not go on by itself.
  if (dup2(launch.input, STDIN_FILENO) < 0 || dup2(launch.output, STDOUT_FILENO) < 0 ||
      dup2(launch.error, STDERR_FILENO) < 0) {
    return errno;
  }
  if (launch.extra >= 0 && dup2(launch.extra, kExtraFd) < 0) return errno;
  // At exec and not now: the program itself may be one of them.
  if (!close_others(launch)) return errno;
  if (!set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_AS, launch.memory) ||
      !set_limit(RLIMIT_CPU, launch.cpu) || !set_limit(RLIMIT_FSIZE, launch.file) ||
      !set_limit(RLIMIT_NPROC, launch.tasks)) {
    return errno;
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  if (launch.program >= 0) {
    execveat(launch.program, "", launch.argv.data(), launch.environment.data(), AT_EMPTY_PATH);
  } else {
    execve(launch.argv[0], launch.argv.data(), launch.environment.data());
  }
  return errno;
}

// vfork costs the same however large the parent is. `failure` is shared with the child, which has
// either exec'ed or exited when vfork returns here.
__attribute__((noinline)) pid_t spawn(const Launch& launch, volatile int& failure) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = vfork();
  if (pid == 0) {
    failure = become(launch);
    _exit(127);
  }
  if (pid < 0) failure = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

// One running child and what is read from it.
class Child {
 public:
  Child(const Command& command, const OutputSink& sink, pid_t pid, Fd pidfd, Fd output, Fd error)
      : command_(command),
        sink_(sink),
        pid_(pid),
        pidfd_(std::move(pidfd)),
        output_(std::move(output)),
        error_(std::move(error)),
        started_(steady_clock::now()) {
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    fcntl(error_.get(), F_SETFL, O_NONBLOCK);
  }

  Exit run() {
    while (!stopped_ && !ended_) wait_once();
    // The leader is dead or about to be, but not reaped: its process group still exists, so
    // nobody else can have the number yet. Whatever it left behind ends here.
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    reap();
    if (!stopped_) {
      drain_output();
      drain_error();
    }
    return std::move(exit_);
  }

 private:
  void stop(Exit::How how) {
    if (stopped_) return;
    stopped_ = true;
    exit_.how = how;
  }

  void wait_once() {
    const auto left = command_.deadline -
                      std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
    if (left.count() <= 0) return stop(Exit::How::deadline);
    std::array<struct pollfd, 4> polled{{{pidfd_.get(), POLLIN, 0},
                                         {output_.get(), POLLIN, 0},
                                         {error_.get(), POLLIN, 0},
                                         {command_.cancel_fd, POLLIN, 0}}};
    constexpr std::int64_t kPollMsMax = 1 << 30;
    const int timeout = static_cast<int>(std::min<std::int64_t>(left.count(), kPollMsMax));
    if (poll(polled.data(), polled.size(), timeout) < 0) return;  // EINTR: the loop looks again.
    if (polled[3].revents != 0) return stop(Exit::How::cancelled);
    if (polled[1].revents != 0) drain_output();
    if (polled[2].revents != 0) drain_error();
    if (polled[0].revents != 0) ended_ = true;
  }

  // Reads what is there. Closes at the end of file.
  void drain_output() {
    std::array<char, kReadBytes> buffer;
    while (output_ && !stopped_) {
      const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return output_.reset();
      take_output({buffer.data(), static_cast<std::size_t>(got)});
      if (!ended_) return;  // poll again, so that a child that never pauses meets its deadline.
    }
  }

  void take_output(std::string_view bytes) {
    output_bytes_ += bytes.size();
    if (output_bytes_ > command_.output_bytes_max) return stop(Exit::How::output_too_large);
    if (!sink_) {
      exit_.standard_output += bytes;
    } else if (!sink_(bytes)) {
      stop(Exit::How::cancelled);
    }
  }

  void drain_error() {
    std::array<char, 4096> buffer;
    while (error_) {
      const ssize_t got = ::read(error_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return error_.reset();
      const std::size_t room = command_.error_bytes_max - exit_.standard_error.size();
      exit_.standard_error.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      if (!ended_) return;
    }
  }

  void reap() {
    int status = 0;
    struct rusage usage {};
    while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    exit_.wall = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
    const auto micros = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                        usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    exit_.cpu = milliseconds(micros / 1000);
    exit_.max_rss_kib = usage.ru_maxrss;
    if (stopped_) {
      exit_.code = SIGKILL;
    } else if (WIFEXITED(status)) {
      exit_.code = WEXITSTATUS(status);
    } else {
      exit_.how = Exit::How::signalled;
      exit_.code = WTERMSIG(status);
    }
  }

  const Command& command_;
  const OutputSink& sink_;
  pid_t pid_;
  Fd pidfd_;
  Fd output_;
  Fd error_;
  steady_clock::time_point started_;
  std::size_t output_bytes_ = 0;
  bool ended_ = false;    // The leader has exited.
  bool stopped_ = false;  // We end it: deadline, too much output, the sink's wish.
  Exit exit_;
};

// A pidfd for `pid`, which is our unreaped child: the number cannot have another owner.
Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0u)));
}

// Copies out of the way of 0 to 3, which the child gives new meanings one by one.
class GivenFds {
 public:
  Status take(Command& command) {
    const std::array<int*, 4> given{&command.program_fd, &command.input_fd, &command.output_fd,
                                    &command.extra_fd};
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (*given[i] < 0) continue;
      copies_[i] = Fd(fcntl(*given[i], F_DUPFD_CLOEXEC, kGivenFdMin));
      if (!copies_[i]) return errno_error("copy a descriptor", errno);
      *given[i] = copies_[i].get();
    }
    return Ok{};
  }

 private:
  static constexpr int kGivenFdMin = 10;
  std::array<Fd, 4> copies_;
};

void reap_only(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

std::vector<std::string> default_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
          "TZ=UTC"};
}

Result<Exit> run_process(Command command, const OutputSink& sink) {
  if (command.argv.empty() || command.argv[0].empty() || command.argv[0][0] != '/') {
    return Error{Errc::invalid, "start a program: its path must be absolute"};
  }
  GivenFds given;
  if (auto taken = given.take(command); !taken) return std::move(taken).error();
  auto input = make_input(command.standard_input);
  if (!input) return std::move(input).error();
  auto output = make_pipe();
  if (!output) return std::move(output).error();
  auto error = make_pipe();
  if (!error) return std::move(error).error();

  const Launch launch = prepare(command, *input, *output, *error);
  volatile int failure = 0;
  const pid_t pid = spawn(launch, failure);
  if (pid > 0 && failure != 0) reap_only(pid);
  if (failure != 0) return errno_error("start " + command.argv[0], failure);

  Fd pidfd = open_pidfd(pid);
  if (!pidfd) {
    const int reason = errno;
    kill(-pid, SIGKILL);
    reap_only(pid);
    return errno_error("watch " + command.argv[0], reason);
  }
  output->write.reset();
  error->write.reset();
  return Child(command, sink, pid, std::move(pidfd), std::move(output->read),
               std::move(error->read))
      .run();
}

}  // namespace vouch
