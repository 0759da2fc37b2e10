// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/mount_usage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <map>

#include "collectors/facts/lines.h"
#include "core/file.h"

namespace vouch::drift {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kChildrenMax = 32;
constexpr int kInheritedMax = 3;  // The host's mounts are handed over as this one.

template <std::size_t size>
bool is_one_of(std::string_view name, const std::array<std::string_view, size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_remote_type(std::string_view type) {
  static constexpr std::array<std::string_view, 17> kRemote{
      "nfs",  "nfs4",  "cifs", "smb3",     "smbfs",  "9p",     "afs",  "ceph",     "ncpfs",
      "gfs2", "ocfs2", "coda", "virtiofs", "lustre", "beegfs", "gpfs", "glusterfs"};
  return is_one_of(type, kRemote) || type.starts_with("fuse");
}

bool is_ignored_type(std::string_view type) {
  static constexpr std::array<std::string_view, 32> kIgnored{
      "proc",       "sysfs",      "devtmpfs",    "devpts",    "cgroup",     "cgroup2",
      "pstore",     "bpf",        "autofs",      "mqueue",    "hugetlbfs",  "debugfs",
      "tracefs",    "securityfs", "fusectl",     "configfs",  "ramfs",      "efivarfs",
      "rpc_pipefs", "nfsd",       "binfmt_misc", "squashfs",  "iso9660",    "udf",
      "erofs",      "cramfs",     "nsfs",        "selinuxfs", "fuse.lxcfs", "fuse.snapfuse",
      "binder",     "resctrl"};
  return is_one_of(type, kIgnored);
}

int percent_up(std::uint64_t part, std::uint64_t whole) {
  for (; whole > std::uint64_t{1} << 56; whole >>= 1) part >>= 1;
  if (whole == 0) return 0;
  return static_cast<int>((std::min(part, whole) * 100 + whole - 1) / whole);
}

struct Child {
  pid_t pid = -1;
  Fd output;
};

// What a child writes into its pipe, whole, in one write: either the facts or an errno.
struct Answer {
  int error_number = 0;
  int used_percent = 0;
  int inodes_used_percent = -1;
  std::uint64_t device = 0;
  std::int64_t size_bytes = 0;
};

Answer make_answer(const Result<Usage>& usage) {
  Answer answer;
  if (!usage) {
    const bool is_denied = usage.error().code == Errc::denied;
    answer.error_number = is_denied ? EACCES : usage.error().code == Errc::not_found ? ENOENT : EIO;
    return answer;
  }
  answer.used_percent = usage->used_percent;
  answer.inodes_used_percent = usage->inodes_used_percent.value_or(-1);
  answer.device = usage->device;
  answer.size_bytes = usage->size_bytes;
  return answer;
}

Result<Usage> read_answer(const Answer& answer, const std::string& path) {
  if (answer.error_number != 0) return errno_error("ask " + path, answer.error_number);
  Usage usage{answer.device, answer.size_bytes, answer.used_percent};
  if (answer.inodes_used_percent >= 0) usage.inodes_used_percent = answer.inodes_used_percent;
  return usage;
}

Result<Child> start_child(const std::string& path, AskUsage ask) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("make a pipe", errno);
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("start a process", errno);
  if (pid == 0) {
    // Whoever reads this process's output must not wait for a child that hangs.
    for (int fd = 0; fd <= kInheritedMax; ++fd) {
      if (fd != write_end.get()) ::close(fd);
    }
    const Answer answer = make_answer(ask(path));
    const ssize_t written = ::write(write_end.get(), &answer, sizeof answer);
    ::_exit(written == sizeof answer ? 0 : 1);
  }
  return Child{pid, std::move(read_end)};
}

Result<Usage> take_answer(const Child& child, const std::string& path,
                          steady_clock::time_point end) {
  pollfd waits{child.output.get(), POLLIN, 0};
  const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
  const int ready = ::poll(&waits, 1, static_cast<int>(std::max<long>(left.count(), 0)));
  if (ready <= 0) return Error{Errc::timeout, "the file system does not answer"};
  Answer answer;
  if (::read(child.output.get(), &answer, sizeof answer) != sizeof answer) {
    return Error{Errc::other, "the child that asked ended without an answer"};
  }
  return read_answer(answer, path);
}

}  // namespace

Usage make_usage(std::uint64_t block_bytes, std::uint64_t blocks, std::uint64_t free_blocks,
                 std::uint64_t available_blocks, std::uint64_t inodes, std::uint64_t free_inodes) {
  Usage usage;
  constexpr std::uint64_t kSizeMax = std::numeric_limits<std::int64_t>::max();
  const bool is_plausible = block_bytes == 0 || blocks <= kSizeMax / block_bytes;
  usage.size_bytes = static_cast<std::int64_t>(is_plausible ? block_bytes * blocks : kSizeMax);
  const std::uint64_t used = blocks - std::min(blocks, free_blocks);
  usage.used_percent = percent_up(used, used + available_blocks);
  if (inodes != 0) {
    usage.inodes_used_percent = percent_up(inodes - std::min(inodes, free_inodes), inodes);
  }
  return usage;
}

MountKind mount_kind(const Mount& mount) {
  const bool is_kernels = mount.path.starts_with("/proc/") || mount.path.starts_with("/sys/") ||
                          mount.path.starts_with("/dev/");
  const bool is_session =
      mount.path.starts_with("/run/user/") || mount.path.starts_with("/run/credentials/");
  const bool is_layer = mount.type == "overlay" && mount.path != "/";  // Of a container.
  if (is_kernels || is_session || is_layer || is_ignored_type(mount.type)) {
    return MountKind::ignored;
  }
  return is_remote_type(mount.type) ? MountKind::remote : MountKind::local;
}

Result<Usage> ask_usage(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return errno_error("stat " + path, errno);
  struct statvfs all;
  if (::statvfs(path.c_str(), &all) != 0) return errno_error("ask " + path, errno);
  Usage usage =
      make_usage(all.f_frsize, all.f_blocks, all.f_bfree, all.f_bavail, all.f_files, all.f_ffree);
  usage.device = status.st_dev;
  return usage;
}

std::vector<Result<Usage>> ask_usage_by_children(const std::vector<std::string>& paths,
                                                 milliseconds deadline, AskUsage ask) {
  const auto end = steady_clock::now() + deadline;
  std::vector<Result<Child>> children;
  for (const std::string& path : paths) {
    if (children.size() >= kChildrenMax) {
      children.emplace_back(Error{Errc::too_large, "too many remote file systems"});
    } else {
      children.push_back(start_child(path, ask));
    }
  }
  std::vector<Result<Usage>> answers;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!children[i]) {
      answers.emplace_back(children[i].error());
      continue;
    }
    answers.push_back(take_answer(*children[i], paths[i], end));
    ::kill(children[i]->pid, SIGKILL);
    // One that the kernel cannot kill is left to whoever reaps this process: waiting would hang.
    const bool has_answered = answers.back().has_value();
    ::waitpid(children[i]->pid, nullptr, has_answered ? 0 : WNOHANG);
  }
  return answers;
}

Result<MemoryInfo> parse_meminfo(std::string_view text) {
  std::map<std::string_view, std::int64_t> kib;
  facts::each_line(text, [&](std::string_view line, int) {
    const std::string_view name = line.substr(0, line.find(':'));
    line.remove_prefix(std::min(line.size(), name.size() + 1));
    const std::string_view number = facts::take_word(line);
    std::int64_t value = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
    constexpr std::int64_t kKibMax = std::int64_t{1} << 50;
    if (result.ec == std::errc() && value >= 0 && value <= kKibMax) kib.emplace(name, value);
  });
  const auto usage = [&](std::string_view total, std::string_view free) {
    const auto whole = kib.find(total);
    const auto rest = kib.find(free);
    MemoryUsage made;
    if (whole == kib.end() || rest == kib.end()) return made;
    made.size_bytes = whole->second * 1024;
    const std::int64_t used = whole->second - std::min(whole->second, rest->second);
    made.used_percent =
        percent_up(static_cast<std::uint64_t>(used), static_cast<std::uint64_t>(whole->second));
    return made;
  };
  MemoryInfo info;
  info.memory = usage("MemTotal", "MemAvailable");
  if (info.memory.size_bytes == 0) return Error{Errc::invalid, "/proc/meminfo names no memory"};
  const MemoryUsage swap = usage("SwapTotal", "SwapFree");
  if (swap.size_bytes != 0) info.swap = swap;
  return info;
}

}  // namespace vouch::drift
