// SPDX-License-Identifier: Apache-2.0
#include "core/http/secret.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "core/file.h"

namespace vouch {
namespace {

constexpr std::size_t kSecretBytesMax = 4096;
constexpr mode_t kOthersOrGroupWrite = S_IWGRP | S_IRWXO;

Result<std::string> path_of(std::string_view file) {
  if (file.starts_with('/')) return std::string(file);
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory != nullptr) return std::string(directory) + "/" + std::string(file);
  return Error{Errc::not_found, std::string(file) +
                                    ": there is no $CREDENTIALS_DIRECTORY (LoadCredential= of the "
                                    "unit; by hand: the directory of the file)"};
}

}  // namespace

Result<std::string> read_secret(std::string_view file) {
  auto path = path_of(file);
  if (!path) return path;
  const Fd fd(::open(path->c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return errno_error("open " + *path, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return errno_error("stat " + *path, errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, *path + ": no regular file"};
  if ((status.st_mode & kOthersOrGroupWrite) != 0) {
    return Error{Errc::denied, *path + ": others can read or write this secret: chmod 0640"};
  }
  auto text = read_all(fd.get(), kSecretBytesMax, *path);
  if (!text) return text;
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text->find_first_not_of(kSpace);
  if (begin == std::string::npos) return Error{Errc::invalid, *path + ": is empty"};
  return text->substr(begin, text->find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace vouch
