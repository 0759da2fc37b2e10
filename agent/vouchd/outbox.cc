// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/file.h"
#include "proto/limits.h"
#include "proto/note.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kSuffix = ".parcel";
constexpr std::string_view kNoticeSuffix = ".json";
constexpr std::size_t kFilesMax = 1'000'000;
// vouch-ship, in the group of vouchd, reads outbox/ and nothing else.
constexpr mode_t kSharedFile = 0640;
constexpr mode_t kSharedDirectory = 0750;
constexpr mode_t kPrivateDirectory = 0700;

std::string path_in(const std::string& directory, std::int64_t seq) {
  return directory + "/" + seq_name(seq) + std::string(kSuffix);
}

Result<std::vector<std::int64_t>> list(const std::string& directory, std::string_view suffix) {
  auto names = list_directory(directory, kFilesMax);
  if (!names) return std::move(names).error();
  std::vector<std::int64_t> seqs;
  for (const std::string& name : *names) {
    std::int64_t seq = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), seq);
    if (parsed.ec == std::errc{} && name == seq_name(seq) + std::string(suffix)) {
      seqs.push_back(seq);
    }
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

}  // namespace

std::string seq_name(std::int64_t seq) {
  return fmt::format("{:010}", seq);
}

Result<Outbox> Outbox::open(std::string outbox, std::string kept) {
  const std::string tmp = outbox + "/tmp";
  for (const std::string& directory : {outbox, tmp, outbox + "/drops", kept}) {
    if (auto made = make_directories(directory, kSharedDirectory); !made) {
      return std::move(made).error();
    }
  }
  auto leftovers = list_directory(tmp, kFilesMax);
  if (!leftovers) return std::move(leftovers).error();
  for (const std::string& name : *leftovers) {
    if (auto removed = remove_file(tmp + "/" + name); !removed) return std::move(removed).error();
  }
  return Outbox(std::move(outbox), std::move(kept));
}

Status Outbox::write(std::int64_t seq, std::string_view parcel) {
  return write_file_durable_via(outbox_ + "/tmp", path_in(outbox_, seq), parcel, kSharedFile);
}

bool Outbox::has(std::int64_t seq) const {
  return file_exists(path_in(outbox_, seq));
}

Result<std::string> Outbox::read(std::int64_t seq) const {
  return read_file(path_in(outbox_, seq), kParcelBytesMax);
}

Result<std::string> Outbox::read_kept(std::int64_t seq) const {
  return read_file(path_in(kept_, seq), kParcelBytesMax);
}

Status Outbox::keep(std::int64_t seq) {
  if (!has(seq)) return Ok{};
  return rename_durable(path_in(outbox_, seq), path_in(kept_, seq));
}

Status Outbox::refill(std::int64_t seq) {
  if (has(seq) || !file_exists(path_in(kept_, seq))) return Ok{};
  return rename_durable(path_in(kept_, seq), path_in(outbox_, seq));
}

Status Outbox::drop_waiting(std::int64_t seq) {
  return remove_file(path_in(outbox_, seq));
}

Status Outbox::drop_kept(std::int64_t seq) {
  return remove_file(path_in(kept_, seq));
}

Status Outbox::set_aside(std::int64_t seq, bool kept, const std::string& directory) {
  if (auto made = make_directories(directory, kPrivateDirectory); !made) return made;
  const std::string from = path_in(kept ? kept_ : outbox_, seq);
  std::string to = path_in(directory, seq);
  // None that was set aside before is written over.
  for (int n = 1; file_exists(to); ++n) to = path_in(directory, seq) + "." + std::to_string(n);
  return rename_durable(from, to);
}

Result<std::vector<std::int64_t>> Outbox::waiting() const {
  return list(outbox_, kSuffix);
}

Result<std::vector<std::int64_t>> Outbox::kept() const {
  return list(kept_, kSuffix);
}

std::string Outbox::notice_path(std::int64_t seq) const {
  return outbox_ + "/drops/" + seq_name(seq) + std::string(kNoticeSuffix);
}

Status Outbox::write_notice(std::int64_t seq, std::string_view notice) {
  return write_file_durable_via(outbox_ + "/tmp", notice_path(seq), notice, kSharedFile);
}

Status Outbox::remove_notice(std::int64_t seq) {
  return remove_file(notice_path(seq));
}

Result<std::vector<std::int64_t>> Outbox::notices() const {
  return list(outbox_ + "/drops", kNoticeSuffix);
}

Status Outbox::write_log_seen(std::string_view note) {
  const std::string path = outbox_ + "/log_seen";
  const auto there = read_file(path, note::kNoteBytesMax);
  if (there && *there == note) return Ok{};
  return write_file_durable_via(outbox_ + "/tmp", path, note, kSharedFile);
}

}  // namespace vouch::agent
