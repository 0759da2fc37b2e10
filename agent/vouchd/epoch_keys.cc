// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/epoch_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "core/file.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kSuffix = ".pem";
constexpr std::size_t kFilesMax = 100'000;

}  // namespace

Result<EpochKeys> EpochKeys::open(std::string directory) {
  if (auto made = make_directories(directory, 0700); !made) return std::move(made).error();
  return EpochKeys(std::move(directory));
}

std::string EpochKeys::path_of(std::int64_t epoch) const {
  return directory_ + "/" + std::to_string(epoch) + std::string(kSuffix);
}

Result<SigningKey> EpochKeys::load(std::int64_t epoch) const {
  return SigningKey::load(path_of(epoch));
}

bool EpochKeys::has(std::int64_t epoch) const {
  return file_exists(path_of(epoch));
}

Result<SigningKey> EpochKeys::make(std::int64_t epoch) {
  auto key = SigningKey::generate();
  if (!key) return key;
  if (auto saved = key->save(path_of(epoch)); !saved) return std::move(saved).error();
  return key;
}

Status EpochKeys::erase(std::int64_t epoch) {
  const std::string path = path_of(epoch);
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return Ok{};
  if (!fd) return errno_error("open " + path, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return errno_error("stat " + path, errno);
  const std::string zeros(static_cast<std::size_t>(status.st_size), '\0');
  if (auto written = write_all(fd.get(), zeros, path); !written) return written;
  if (fsync(fd.get()) != 0) return errno_error("fsync " + path, errno);
  if (auto removed = remove_file(path); !removed) return removed;
  return sync_directory(directory_);
}

Result<std::vector<std::int64_t>> EpochKeys::list() const {
  auto names = list_directory(directory_, kFilesMax);
  if (!names) return std::move(names).error();
  std::vector<std::int64_t> epochs;
  for (const std::string& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    std::int64_t epoch = 0;
    const char* end = name.data() + name.size() - kSuffix.size();
    const auto parsed = std::from_chars(name.data(), end, epoch);
    if (parsed.ec == std::errc{} && parsed.ptr == end) epochs.push_back(epoch);
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

}  // namespace vouch::agent
