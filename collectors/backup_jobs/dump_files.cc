// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/dump_files.h"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/file.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kEdgeBytes = std::size_t{8} << 10;      // Of the beginning and the end.
constexpr std::size_t kGzipBytesMax = std::size_t{16} << 20;  // A larger one is not expanded.
constexpr std::size_t kExpandBytesMax = std::size_t{256} << 20;

std::string octal(mode_t mode) {
  std::string digits(4, '0');
  for (std::size_t i = 0; i < digits.size(); ++i) {
    digits[digits.size() - 1 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7U));
  }
  return digits;
}

std::string read_at(int fd, std::int64_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  const auto got = ::pread(fd, text.data(), text.size(), offset);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void keep_edges(std::string_view piece, std::string& head, std::string& tail) {
  if (head.size() < kEdgeBytes) head.append(piece.substr(0, kEdgeBytes - head.size()));
  tail.append(piece);
  if (tail.size() > 2 * kEdgeBytes) tail.erase(0, tail.size() - kEdgeBytes);
}

// Fills kind and complete.
void examine(int fd, DumpFile& file) {
  const std::string head = read_at(fd, 0, kEdgeBytes);
  file.kind = dump_kind(head);
  if (file.bytes == 0) {
    file.complete = false;
  } else if (file.kind == "gzip" && file.bytes <= static_cast<std::int64_t>(kGzipBytesMax)) {
    const std::string bytes = read_at(fd, 0, static_cast<std::size_t>(file.bytes));
    std::string first;
    std::string last;
    file.complete = gzip_is_whole(bytes, kExpandBytesMax, first, last);
    // A whole archive of a dump that broke off is no whole dump.
    if (file.complete == true) file.complete = has_end_mark(first, last).value_or(true);
  } else if (file.kind == "sql") {
    const std::int64_t offset =
        std::max<std::int64_t>(0, file.bytes - static_cast<std::int64_t>(kEdgeBytes));
    file.complete = has_end_mark(head, read_at(fd, offset, kEdgeBytes));
  }
}

}  // namespace

std::string_view dump_kind(std::string_view head) {
  struct Mark {
    std::string_view bytes;
    std::string_view kind;
  };
  constexpr std::array<Mark, 4> kMarks = {{{"\x1f\x8b", "gzip"},
                                           {"\x28\xb5\x2f\xfd", "zstd"},
                                           {"\xfd"
                                            "7zXZ",
                                            "xz"},
                                           {"PGDMP", "pg_dump"}}};
  for (const Mark& mark : kMarks) {
    if (head.starts_with(mark.bytes)) return mark.kind;
  }
  constexpr std::size_t kTarMagicAt = 257;
  if (head.size() > kTarMagicAt + 5 && head.substr(kTarMagicAt, 5) == "ustar") return "tar";
  const auto begins = head.substr(0, 512);
  for (const std::string_view word : {"PostgreSQL database", "MySQL dump", "MariaDB dump"}) {
    if (begins.find(word) != begins.npos) return "sql";
  }
  return "unknown";
}

std::optional<bool> has_end_mark(std::string_view head, std::string_view tail) {
  if (dump_kind(head) != "sql") return std::nullopt;
  for (const std::string_view mark :
       {"-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete",
        "-- Dump completed"}) {
    if (tail.find(mark) != tail.npos) return true;
  }
  return false;
}

std::optional<bool> gzip_is_whole(std::string_view bytes, std::size_t bytes_max,
                                  std::string& expanded_head, std::string& expanded_tail) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return std::nullopt;
  std::string buffer(std::size_t{64} << 10, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::size_t total = 0;
  int state = Z_OK;
  while (state == Z_OK || (state == Z_STREAM_END && stream.avail_in > 0)) {
    if (state == Z_STREAM_END) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = buffer.size() - stream.avail_out;
    total += produced;
    if (total > bytes_max) break;
    keep_edges(std::string_view(buffer).substr(0, produced), expanded_head, expanded_tail);
  }
  inflateEnd(&stream);
  if (total > bytes_max) return std::nullopt;
  return state == Z_STREAM_END;
}

bool is_encrypted_name(std::string_view pattern) {
  return pattern.ends_with(".gpg") || pattern.ends_with(".age") || pattern.ends_with(".enc");
}

Result<DumpFiles> read_dump_files(const Root& root, const Job& job) {
  const auto names = root.list(job.repository);
  if (!names) return names.error();
  DumpFiles result;
  for (const std::string& name : *names) {
    const bool is_wanted =
        job.pattern.empty() || ::fnmatch(job.pattern.c_str(), name.c_str(), 0) == 0;
    if (!is_wanted || name.starts_with('.')) continue;
    const std::string path = job.repository + '/' + name;
    const auto info = root.lstat(path);
    if (!info) {
      if (info.error().code != Errc::not_found) result.problems.emplace_back(path, info.error());
      continue;
    }
    if (!S_ISREG(info->st_mode)) continue;
    DumpFile file{path, "", info->st_mtim.tv_sec, info->st_size, info->st_uid, {}, {}};
    file.mode = octal(info->st_mode & 07777U);
    result.files.push_back(std::move(file));
  }
  std::stable_sort(result.files.begin(), result.files.end(),
                   [](const DumpFile& a, const DumpFile& b) { return a.time > b.time; });
  if (result.files.size() > kDumpFilesMax) {
    result.files.erase(result.files.begin() + kDumpFilesMax, result.files.end());
  }
  for (std::size_t i = 0; i < result.files.size(); ++i) {
    DumpFile& file = result.files[i];
    const auto fd = root.open_file(file.path);
    if (!fd) {
      result.problems.emplace_back(file.path, fd.error());
      file.kind = "unknown";
    } else if (i == 0) {
      examine(fd->get(), file);
    } else {
      file.kind = dump_kind(read_at(fd->get(), 0, kEdgeBytes));
      if (file.bytes == 0) file.complete = false;
    }
  }
  return result;
}

Result<RepositoryState> read_dump_snapshots(const Root& root, const Job& job) {
  const auto dumps = read_dump_files(root, job);
  if (!dumps) return dumps.error();
  RepositoryState state;
  for (const DumpFile& file : dumps->files) {
    if (file.bytes == 0 || file.complete == false) continue;  // Nothing to go back to.
    Snapshot snapshot;
    snapshot.id = file.path.substr(file.path.rfind('/') + 1);
    snapshot.time = file.time;
    snapshot.files = 1;
    snapshot.bytes = file.bytes;
    state.snapshots.push_back(std::move(snapshot));
  }
  return state;
}

}  // namespace vouch::backup_jobs
