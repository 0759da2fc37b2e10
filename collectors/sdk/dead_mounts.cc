// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/dead_mounts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "collectors/sdk/foreign_mounts.h"
#include "core/file.h"

namespace vouch::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMountsBytesMax = 16 << 20;
constexpr std::size_t kChildrenMax = 64;
constexpr int kInheritedMax = 3;  // The host's mounts are handed over as this one.

struct Child {
  pid_t pid = -1;
  Fd end;  // Is closed, on the other side, when the child ends.
};

// No child: pid -1.
Child start_child(const std::string& path, Ask ask) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid != 0) return {pid, std::move(read_end)};
  // Whoever reads this process's output must not wait for a child that hangs.
  for (int fd = 0; fd <= kInheritedMax; ++fd) {
    if (fd != write_end.get()) ::close(fd);
  }
  ask(path);
  ::_exit(0);
}

bool has_ended(const Child& child, steady_clock::time_point end) {
  const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
  pollfd waits{child.end.get(), POLLIN, 0};
  return ::poll(&waits, 1, static_cast<int>(std::max<long>(left.count(), 0))) > 0;
}

// Not stat(2) alone: what a file system said before is kept for a while.
void ask_for_room(const std::string& path) {
  struct statvfs room;
  ::statvfs(path.c_str(), &room);
}

// The path inside the root; empty outside of it.
std::string inside(const Root& root, const std::string& path) {
  if (root.is_host()) return path;
  const std::string prefix = root.path() + '/';
  return path.starts_with(prefix) ? path.substr(prefix.size() - 1) : std::string();
}

}  // namespace

std::vector<std::string> askable_mount_points(std::string_view mounts) {
  std::vector<std::string> points;
  for_each_mount(mounts, [&](std::string path, std::string_view type) {
    const bool is_known = std::find(points.begin(), points.end(), path) != points.end();
    if (is_askable_type(type) && !is_known && path != "/") points.push_back(std::move(path));
  });
  return points;
}

std::set<std::string> without_answer(const std::vector<std::string>& paths, milliseconds deadline,
                                     Ask ask) {
  const auto end = steady_clock::now() + deadline;
  std::set<std::string> silent;
  std::vector<Child> children;
  for (const std::string& path : paths) {
    if (children.size() == kChildrenMax) break;
    children.push_back(start_child(path, ask));
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (children[i].pid < 0) continue;
    const bool is_silent = !has_ended(children[i], end);
    if (is_silent) silent.insert(paths[i]);
    ::kill(children[i].pid, SIGKILL);
    // One that the kernel cannot kill is left to whoever reaps this process: waiting would hang.
    ::waitpid(children[i].pid, nullptr, is_silent ? WNOHANG : 0);
  }
  return silent;
}

void avoid_dead_mounts(Root& root, milliseconds deadline) {
  const auto host = Root::open("/");
  const auto mounts = host ? host->read("/proc/self/mounts", kMountsBytesMax) : host.error();
  if (!mounts) return;
  std::vector<std::string> asked;
  for (std::string& point : askable_mount_points(*mounts)) {
    if (!inside(root, point).empty()) asked.push_back(std::move(point));
  }
  if (asked.empty()) return;
  std::set<std::string> dead;
  for (const std::string& path : without_answer(asked, deadline, ask_for_room)) {
    dead.insert(inside(root, path));
  }
  root.avoid(std::move(dead));
}

}  // namespace vouch::sdk
