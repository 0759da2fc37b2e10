// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/log_files.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace vouch::patch_level {
namespace {

constexpr int kGzipWindow = 15 + 16;
constexpr std::size_t kExpandBytes = std::size_t{64} << 10;
constexpr int kRotationMax = 999;

// 0 of "history.log", 3 of "history.log.3.gz"; nothing for another file.
std::optional<int> rotation_of(std::string_view name, std::string_view log) {
  if (!name.starts_with(log)) return std::nullopt;
  name.remove_prefix(log.size());
  if (name.empty()) return 0;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.size() < 2 || name.front() != '.') return std::nullopt;
  int number = 0;
  const auto [end, code] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
  if (code != std::errc() || end != name.data() + name.size()) return std::nullopt;
  if (number < 0 || number > kRotationMax) return std::nullopt;
  return number;
}

}  // namespace

Result<std::vector<std::string>> log_paths(const Root& root, std::string_view path) {
  const auto slash = path.rfind('/');
  const auto directory = path.substr(0, slash);
  const auto names = root.list(directory);
  if (!names) return names.error();
  std::vector<std::pair<int, std::string>> found;
  for (const std::string& name : *names) {
    if (const auto number = rotation_of(name, path.substr(slash + 1))) {
      found.emplace_back(*number, std::string(directory) + '/' + name);
    }
  }
  if (found.empty()) return Error{Errc::not_found, std::string(path) + ": there is no such log"};
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [number, name] : found) paths.push_back(std::move(name));
  return paths;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Error{Errc::other, "no memory to expand"};
  std::string result;
  std::string buffer(kExpandBytes, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int state = Z_OK;
  while (state == Z_OK || (state == Z_STREAM_END && stream.avail_in > 0)) {
    if (state == Z_STREAM_END) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    result.append(buffer, 0, buffer.size() - stream.avail_out);
    if (result.size() > bytes_max) break;
  }
  inflateEnd(&stream);
  if (result.size() > bytes_max) return Error{Errc::too_large, "gzip data that expand too far"};
  if (state != Z_STREAM_END) return Error{Errc::invalid, "damaged gzip data"};
  return result;
}

Result<std::string> read_log(const Root& root, std::string_view path) {
  auto bytes = root.read(path, kLogBytesMax);
  if (!bytes) return std::move(bytes).error();
  if (!bytes->starts_with("\x1f\x8b")) return bytes;
  auto text = gunzip(*bytes, kLogBytesMax);
  if (!text) return std::move(text).error().in(path);
  return text;
}

}  // namespace vouch::patch_level
