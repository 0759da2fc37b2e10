// SPDX-License-Identifier: Apache-2.0
#include "agent/collect/supervisor.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "core/capabilities.h"
#include "core/file_digest.h"
#include "core/log.h"
#include "core/process.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr int kHandlersMax = 4;
constexpr int kReapMs = 100;  // While collectors run: how often ended handlers are looked for.
constexpr std::chrono::seconds kRequestDeadline{10};
constexpr std::chrono::seconds kSweepDeadline{5};
constexpr std::size_t kCacheFileBytesMax = 64u << 20;
constexpr std::size_t kOutputBytesUnread = 1;  // Its output goes to the daemon: nothing comes here.
constexpr std::size_t kChildrenBytesMax = 64u << 10;

bool is_client(int connection, const SupervisorOptions& options) {
  const auto user = peer_user(connection);
  return user &&
         std::find(options.clients.begin(), options.clients.end(), *user) != options.clients.end();
}

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() + 1 && path.starts_with(directory + "/") &&
         path.find("/../") == path.npos && path.find("/./") == path.npos &&
         path.find("//") == path.npos && !path.ends_with("/..") && !path.ends_with("/");
}

// The program, open, if it may be started and is the file that the daemon knows.
Result<Fd> open_program(const LaunchRequest& request, const SupervisorOptions& options) {
  const std::string& path = request.program;
  const auto& allowed = options.program_dirs;
  if (std::none_of(allowed.begin(), allowed.end(),
                   [&](const std::string& directory) { return is_below(path, directory); })) {
    return Error{Errc::denied, path + ": collectors are started from " +
                                   (allowed.empty() ? "nowhere" : allowed.front()) +
                                   " (see vouch-collect(8), --programs)"};
  }
  if (auto trusted = require_trusted_path(path, options.program_owner); !trusted) {
    return std::move(trusted).error();
  }
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return errno_error("open " + path, errno);
  auto mark = file_mark(fd.get(), path);
  if (!mark) return std::move(mark).error();
  if (mark->text() != request.file) {
    return Error{Errc::denied,
                 path + ": was replaced since the configuration was read: reload vouchd"};
  }
  return fd;
}

bool is_script(const Fd& program) {
  std::array<char, 2> head{};
  return ::pread(program.get(), head.data(), head.size(), 0) == 2 && head[0] == '#' &&
         head[1] == '!';
}

Command make_command(const LaunchRequest& request, const LaunchMessage& message, const Fd& program,
                     const SupervisorOptions& options, int connection) {
  Command command;
  command.argv = {request.program};
  if (request.mode == LaunchRequest::Mode::describe) command.argv.emplace_back("--describe");
  command.environment = default_environment();
  if (options.mounts_fd >= 0) command.environment.emplace_back("VOUCH_HOST_MOUNTS=3");
  // What LoadCredential= of the unit gives; systemd keeps it from everybody else.
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr) {
    command.environment.push_back(std::string("CREDENTIALS_DIRECTORY=") + credentials);
  }
  // An interpreter opens its script by name; everything else runs from the file just looked at.
  if (!is_script(program)) command.program_fd = program.get();
  command.input_fd = message.input.get();
  command.output_fd = message.output.get();
  command.extra_fd = options.mounts_fd;
  command.deadline = std::chrono::milliseconds(request.deadline_ms);
  command.output_bytes_max = kOutputBytesUnread;
  command.memory_bytes_max = options.memory_bytes_max;
  command.cpu_seconds_max = static_cast<int>(request.deadline_ms / 1000 + 1);
  command.file_bytes_max = kCacheFileBytesMax;
  command.tasks_max = options.tasks_max;
  command.cancel_fd = connection;
  return command;
}

// The children of this process, which, as a subreaper, is the parent of every orphan below it.
std::vector<pid_t> children() {
  const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  std::vector<pid_t> pids;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return pids;
  const auto text = read_all(fd.get(), kChildrenBytesMax, path);
  if (!text) return pids;
  const char* at = text->data();
  const char* const end = at + text->size();
  while (at < end) {
    pid_t pid = 0;
    const auto [stop, fault] = std::from_chars(at, end, pid);
    if (fault == std::errc() && pid > 1) pids.push_back(pid);
    at = std::max(stop, at) + 1;
  }
  return pids;
}

// Whatever the collector started and left, even in a session of its own, ends here.
bool end_descendants() {
  const auto end = std::chrono::steady_clock::now() + kSweepDeadline;
  for (;;) {
    for (const pid_t pid : children()) ::kill(pid, SIGKILL);
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0 && errno == ECHILD) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);
  }
}

LaunchReply launch(const LaunchMessage& message, const SupervisorOptions& options, int connection) {
  auto request = parse_launch(message.text);
  if (!request) return std::move(request).error().in("launch");
  if (!message.input || !message.output) {
    return Error{Errc::invalid, "launch: without descriptors for input and output"};
  }
  auto program = open_program(*request, options);
  if (!program) return std::move(program).error();
  auto exit = run_process(make_command(*request, message, *program, options, connection));
  if (!end_descendants()) log::error(request->program + ": left processes that cannot be ended");
  if (!exit) return std::move(exit).error();
  return *std::move(exit);
}

// Ended handlers are no longer running ones.
void reap(int& handlers) {
  while (handlers > 0 && ::waitpid(-1, nullptr, WNOHANG) > 0) --handlers;
}

void handle_in_child(const Fd& listener, Fd connection, const SupervisorOptions& options,
                     int& handlers) {
  const pid_t pid = ::fork();
  if (pid < 0) return log::error(errno_error("start a handler", errno).message);
  if (pid > 0) {
    ++handlers;
    return;
  }
  ::close(listener.get());
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  serve_connection(connection, options);
  ::_exit(0);
}

}  // namespace

int host_mounts_fd(int fd) {
  struct statfs system {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC ? fd : -1;
}

void serve_connection(const Fd& connection, const SupervisorOptions& options) {
  if (!is_client(connection.get(), options)) {
    return log::warn("a start was asked for by a user who may not");
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const LaunchHello hello{options.cache_root, effective_capabilities()};
  if (auto sent = send_message(connection.get(), write_hello(hello)); !sent) return;
  auto message = receive_message(connection.get(), kRequestDeadline);
  if (!message) {
    // A client that only asked what there is has closed by now.
    if (message.error().code != Errc::unavailable) log::warn(message.error().message);
    return;
  }
  const LaunchReply reply = launch(*message, options, connection.get());
  // A client that has gone away gets no answer; that is its affair.
  [[maybe_unused]] const auto sent = send_message(connection.get(), write_reply(reply));
}

int serve(const Fd& listener, const SupervisorOptions& options) {
  int handlers = 0;
  for (;;) {
    reap(handlers);
    struct pollfd polled {
      listener.get(), POLLIN, 0
    };
    // Full: those that wait are accepted when one has ended.
    const nfds_t count = handlers < kHandlersMax ? 1 : 0;
    const int timeout = handlers > 0 ? kReapMs : static_cast<int>(options.idle.count());
    const int ready = ::poll(&polled, count, timeout);
    if (ready < 0 && errno != EINTR) return 1;
    if (ready == 0 && handlers == 0) return 0;
    if (ready <= 0) continue;
    Fd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection && options.one) {
      serve_connection(connection, options);
      return 0;
    }
    if (connection) handle_in_child(listener, std::move(connection), options, handlers);
  }
}

}  // namespace vouch::agent
