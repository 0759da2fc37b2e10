// SPDX-License-Identifier: Apache-2.0
#include "core/fault_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>

namespace {

enum class Call { durable, space, other };

std::atomic<long> kill_left = 0;  // 0: never. Of this process alone, all its threads together.
std::atomic<long> fail_left = 0;
std::atomic<int> fail_error = 0;
std::atomic<bool> fail_lasting = false;
std::atomic<bool> fail_reached = false;

// True once, at the n-th call since it was set to n.
bool counts_down(std::atomic<long>& left) {
  return left > 0 && --left == 0;
}

// True if this call has to fail.
bool step(Call call, bool durable_step) {
  if (durable_step && counts_down(kill_left)) _exit(42);
  if (counts_down(fail_left)) {
    fail_reached = true;
    errno = fail_error;
    return true;
  }
  if (fail_reached && fail_lasting && call == Call::space) {
    errno = fail_error;
    return true;
  }
  return false;
}

// Pipes and the error stream are not the disk.
bool is_file(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

int open_call(const char* path, int flags, mode_t mode) {
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
  if (writes && step(Call::space, false)) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(list, int)) : 0;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int fsync(int fd) {
  if (step(Call::durable, true)) return -1;
  return static_cast<int>(syscall(SYS_fsync, fd));
}
__attribute__((visibility("default"))) int fdatasync(int fd) {
  if (step(Call::durable, true)) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
__attribute__((visibility("default"))) int syncfs(int fd) noexcept {
  if (step(Call::durable, true)) return -1;
  return static_cast<int>(syscall(SYS_syncfs, fd));
}
__attribute__((visibility("default"))) int rename(const char* from, const char* to) noexcept {
  if (step(Call::other, true)) return -1;
  return static_cast<int>(syscall(SYS_rename, from, to));
}
__attribute__((visibility("default"))) int unlink(const char* path) noexcept {
  if (step(Call::other, true)) return -1;
  return static_cast<int>(syscall(SYS_unlink, path));
}
__attribute__((visibility("default"))) int mkdir(const char* path, mode_t mode) noexcept {
  if (step(Call::space, false)) return -1;
  return static_cast<int>(syscall(SYS_mkdir, path, mode));
}
__attribute__((visibility("default"))) int mkostemp(char* path, int flags) {
  if (step(Call::space, false)) return -1;
  using Real = int (*)(char*, int);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "mkostemp"));
  return real(path, flags);
}
__attribute__((visibility("default"))) int ftruncate64(int fd, off64_t size) noexcept {
  if (step(Call::space, false)) return -1;
  return static_cast<int>(syscall(SYS_ftruncate, fd, size));
}
__attribute__((visibility("default"))) int ftruncate(int fd, off_t size) noexcept {
  return ftruncate64(fd, size);
}
__attribute__((visibility("default"))) ssize_t write(int fd, const void* bytes, size_t size) {
  if (is_file(fd) && step(Call::space, false)) return -1;
  return syscall(SYS_write, fd, bytes, size);
}
__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void* bytes, size_t size,
                                                        off64_t at) {
  if (step(Call::space, false)) return -1;
  return syscall(SYS_pwrite64, fd, bytes, size, at);
}
__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void* bytes, size_t size,
                                                      off_t at) {
  return pwrite64(fd, bytes, size, at);
}
__attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_call(path, flags, mode);
}
__attribute__((visibility("default"))) int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_call(path, flags, mode);
}
}

namespace vouch::faults {

void kill_at(long n) {
  kill_left = n;
}

void fail_at(long n, int error, bool lasting) {
  fail_left = n;
  fail_error = error;
  fail_lasting = lasting;
  fail_reached = false;
}

bool reached() {
  return fail_reached;
}

void disarm() {
  kill_left = 0;
  fail_left = 0;
  fail_reached = false;
}

}  // namespace vouch::faults
