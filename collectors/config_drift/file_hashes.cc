// SPDX-License-Identifier: Apache-2.0
// The table file_hashes. Three levels of work, each only if the one before does not settle it: the
// stats of the whole tree equal those of the last answer: `unchanged`; a file's stat is in the
// cache: its known digest; else it is read.
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/stat_cache.h"
#include "collectors/config_drift/watched_files.h"
#include "collectors/facts/file_mode.h"
#include "collectors/sdk/context.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kCacheBytesMax = 64 << 20;
constexpr std::size_t kReadBytes = 128 << 10;
constexpr std::int64_t kFileBytesMaxDefault = std::int64_t{1} << 30;
constexpr int kReadAttemptsMax = 3;

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

class Hasher {
 public:
  explicit Hasher(Context& context, std::int64_t file_bytes_max)
      : context_(context), file_bytes_max_(file_bytes_max), buffer_(kReadBytes, '\0') {}

  // The raw digest; `entry.status` becomes that of the bytes that were read.
  Result<std::string> hash(FileEntry& entry) {
    for (int attempt = 0; attempt < kReadAttemptsMax; ++attempt) {
      const auto file = context_.root().open_file(entry.path);
      if (!file) return file.error();
      struct stat before;
      if (::fstat(file->get(), &before) != 0) return errno_error("stat " + entry.path, errno);
      auto digest = read(file->get(), entry.path);
      if (!digest) return digest;
      struct stat after;
      if (::fstat(file->get(), &after) != 0) return errno_error("stat " + entry.path, errno);
      if (!is_same_file(before, after)) continue;
      entry.status = after;
      return digest;
    }
    return Error{Errc::unavailable, "changes while it is read"};
  }

 private:
  Result<std::string> read(int fd, const std::string& path) {
    Sha256 digest;
    std::int64_t total = 0;
    while (true) {
      const ssize_t count = ::read(fd, buffer_.data(), buffer_.size());
      if (count < 0) return errno_error("read " + path, errno);
      if (count == 0) return digest.finish();
      total += count;
      if (total > file_bytes_max_) return Error{Errc::too_large, "is over file_bytes_max"};
      if (context_.remaining().count() == 0) return Error{Errc::timeout, "the deadline passed"};
      digest.update(std::string_view(buffer_).substr(0, static_cast<std::size_t>(count)));
    }
  }

  Context& context_;
  std::int64_t file_bytes_max_;
  std::string buffer_;
};

std::string cache_path(const Context& context) {
  return context.cache_dir() + "/file_hashes.cache";
}

// True if every digest of the last answer is still trusted.
bool is_cache_fresh(const Context& context, std::string_view token) {
  if (context.cache_dir().empty()) return true;  // Then the runner's daily full run is the rota.
  const Fd file(::open(cache_path(context).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string bytes(StatCache::kHeadBytes, '\0');
  const ssize_t count = file ? ::read(file.get(), bytes.data(), bytes.size()) : 0;
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  const auto head = StatCache::parse_head(bytes);
  return head && head->token == token && context.now() < head->earliest_due;
}

StatCache load_cache(Context& context) {
  if (context.cache_dir().empty()) return {};
  const auto bytes = read_file(cache_path(context), kCacheBytesMax);
  if (!bytes) return {};
  auto cache = StatCache::parse(*bytes);
  if (!cache) context.log("warn", "file_hashes: " + cache.error().message + "; hashing everything");
  return cache ? *std::move(cache) : StatCache{};
}

void save_cache(Context& context, const StatCache& cache) {
  if (context.cache_dir().empty()) return;
  const auto status = write_file_durable(cache_path(context), cache.serialize(), 0600);
  if (!status) context.log("warn", "file_hashes: " + status.error().message);
}

void add_row(Context& context, Rows& rows, const FileEntry& entry, std::string_view digest) {
  const struct stat& status = entry.status;
  const std::string mode = facts::mode_text(status.st_mode);
  const bool is_regular = S_ISREG(status.st_mode);
  // A directory's size says how it is stored, not what it holds.
  const std::int64_t size = S_ISDIR(status.st_mode) ? 0 : status.st_size;
  std::string target;
  if (S_ISLNK(status.st_mode)) {
    auto link = context.root().read_link(entry.path);
    if (!link) return rows.gap(entry.path, link.error());
    target = *std::move(link);
  }
  const std::string hex = is_regular ? hex_encode(digest) : "";
  rows.add({entry.path, facts::type_name(status.st_mode), mode, status.st_uid, status.st_gid, size,
            is_regular ? sdk::Cell(hex) : sdk::Cell(nullptr),
            S_ISLNK(status.st_mode) ? sdk::Cell(target) : sdk::Cell(nullptr)});
}

Status emit(Context& context, Rows& rows, const std::vector<FileEntry>& entries,
            const StatCache& known, StatCache& next, std::int64_t file_bytes_max) {
  Hasher hasher(context, file_bytes_max);
  for (FileEntry entry : entries) {
    std::string digest;
    if (S_ISREG(entry.status.st_mode)) {
      const WallSeconds began = context.now();
      if (auto cached = known.find(entry.status, began)) {
        digest = *std::move(cached);
        next.keep(known, entry.status);
      } else {
        auto fresh = hasher.hash(entry);
        if (!fresh && fresh.error().code == Errc::timeout) return fresh.error();
        if (!fresh && fresh.error().code == Errc::not_found) continue;
        if (!fresh) {
          rows.gap(entry.path, fresh.error());
          continue;
        }
        digest = *std::move(fresh);
        next.put(entry.status, digest, began);
      }
    }
    add_row(context, rows, entry, digest);
  }
  return Ok{};
}

Status collect(Context& context, Rows& rows) {
  const WatchedFiles& watched = watched_files(context);
  for (const auto& [path, error] : watched.gaps) rows.gap(path, error);
  if (!watched.walked) return watched.walked;
  const std::int64_t file_bytes_max =
      context.integer_option("file_bytes_max", kFileBytesMaxDefault);
  const std::string token =
      state_token(watched.entries, "file_hashes 2 " + std::to_string(file_bytes_max));
  const bool is_settled = watched.is_settled;
  if (is_settled && is_cache_fresh(context, token) && rows.unchanged(token)) return Ok{};

  const StatCache known = load_cache(context);
  StatCache next;
  next.token = token;
  const Status status = emit(context, rows, watched.entries, known, next, file_bytes_max);
  if (!status) {
    // What was hashed before the deadline, and what was not reached, need not be hashed again.
    for (const FileEntry& entry : watched.entries) next.keep(known, entry.status);
  }
  save_cache(context, next);
  if (!status) return status;
  if (is_settled) rows.set_token(token);
  return Ok{};
}

}  // namespace

std::vector<sdk::Option> file_hashes_options() {
  return {{"paths", sdk::OptionType::texts,
           "file_hashes: files and trees (default: /etc, /boot, /usr/local/bin, and the programs "
           "that let people in)"},
          {"extra_paths", sdk::OptionType::texts, "file_hashes: besides the default"},
          {"exclude", sdk::OptionType::texts, "file_hashes: left out, with all below"},
          {"file_bytes_max", sdk::OptionType::integer,
           "file_hashes: larger files are gaps (default 1 GiB)"}};
}

sdk::Table file_hashes_table() {
  return {
      .name = "file_hashes",
      .title = "Files by content, owner and mode",
      .columns = {sdk::bytes("path", "Path").key(),
                  sdk::text("type", "regular, directory, symlink, fifo, socket, block, character"),
                  sdk::text("mode", "Four octal digits"), sdk::integer("uid", "Owner"),
                  sdk::integer("gid", "Group"), sdk::integer("size", "Bytes; 0 for directories"),
                  sdk::text("sha256", "Of the content").nullable("not a regular file"),
                  sdk::bytes("target", "Where it points").nullable("no symlink")},
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect};
}

}  // namespace vouch::drift
