// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/input_token.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdlib>

namespace vouch::patch_level {
namespace {

constexpr std::size_t kTokenBytesMax = 60000;  // The protocol's limit is 64 KiB.
constexpr WallSeconds kSettledAfterS = 2;

}  // namespace

InputToken::InputToken(const Root& root, WallSeconds now) : root_(root), now_(now) {}

void InputToken::add_file(std::string_view path, Touch touch) {
  const auto info = root_.stat(path);
  if (!info) {
    text_ += fmt::format("{} {}\n", path, to_string(info.error().code));
    return;
  }
  is_recent_ = is_recent_ || std::abs(now_ - info->st_mtim.tv_sec) <= kSettledAfterS;
  text_ += fmt::format("{} {} {} {} {}.{}", path, info->st_dev, info->st_ino, info->st_size,
                       info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
  if (touch == Touch::counts) {
    text_ += fmt::format(" {}.{}", info->st_ctim.tv_sec, info->st_ctim.tv_nsec);
  }
  text_ += '\n';
}

void InputToken::add_directory(std::string_view path) {
  const auto names = root_.list(path);
  if (!names) {
    text_ += fmt::format("{} {}\n", path, to_string(names.error().code));
    return;
  }
  for (const std::string& name : *names) {
    const bool is_release = name.ends_with("Release") || name.ends_with("Release.gpg");
    add_file(fmt::format("{}/{}", path, name), is_release ? Touch::ignored : Touch::counts);
  }
}

void InputToken::add_text(std::string_view text) {
  text_.append(text) += '\n';
}

std::string InputToken::text() const {
  return is_recent_ || text_.size() > kTokenBytesMax ? std::string() : text_;
}

}  // namespace vouch::patch_level
