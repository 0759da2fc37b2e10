// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/login_history.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "collectors/access_review/login_records.h"
#include "core/sqlite.h"

namespace vouch::access {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
// Years of logins of a busy host; beyond it the file is refused, not cut.
constexpr std::int64_t kWtmpBytesMax = std::int64_t{2} << 30;
// Held in memory as a whole.
constexpr std::size_t kDatabaseBytesMax = 64 << 20;
constexpr int kDatabaseRowsMax = 2'000'000;
constexpr std::int64_t kUserProcess = 3;
constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr const char* kLastlog = "/var/log/lastlog";

using Logins = std::vector<std::pair<std::string, std::int64_t>>;

bool is_directory(const Root& root, const char* path) {
  const auto info = root.stat(path);
  return info && S_ISDIR(info->st_mode);
}

// The rows as they lie: a condition or an order would let a forged file decide how long it takes.
Result<Logins> read_rows(sqlite::Database& database, std::string_view query, bool is_wtmpdb) {
  auto statement = database.prepare(query);
  if (!statement) return Error{Errc::corrupt, std::move(statement).error().message};
  Logins logins;
  for (int count = 0;; ++count) {
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return logins;
    if (count >= kDatabaseRowsMax) return Error{Errc::too_large, "over 2,000,000 logins"};
    if (is_wtmpdb && statement->integer(2) != kUserProcess) continue;
    const std::int64_t at = statement->integer(1) / (is_wtmpdb ? kMicroseconds : 1);
    if (at > 0) logins.emplace_back(statement->text(0), at);
  }
}

}  // namespace

Result<Logins> parse_login_database(std::string_view bytes, std::string_view source) {
  auto database = sqlite::Database::open_image(bytes);
  if (!database) return std::move(database).error();
  const bool is_wtmpdb = source == "wtmpdb";
  // A view or a virtual table of that name would be a programme, not a list.
  auto schema = database->prepare(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 "
      "AND sql LIKE 'CREATE TABLE %'");
  if (!schema) return Error{Errc::corrupt, std::move(schema).error().message};
  schema->bind(1, is_wtmpdb ? "wtmp" : "Lastlog2");
  const auto found = schema->step();
  if (!found) return found.error();
  if (schema->integer(0) != 1) return Error{Errc::corrupt, "has no table of logins"};
  return read_rows(
      *database,
      is_wtmpdb ? "SELECT User, Login, Type FROM wtmp" : "SELECT Name, Time FROM Lastlog2",
      is_wtmpdb);
}

void LoginHistory::note(const std::string& user, std::int64_t at, std::string_view source) {
  Newest& newest = newest_[user];
  if (at > newest.at) newest = {at, source};
}

Status LoginHistory::read_wtmp(const Root& root, const std::string& path) {
  const auto file = root.open_file(path);
  if (!file && file.error().code == Errc::not_found) return Ok{};
  if (!file) return file.error();
  WtmpReader reader;
  std::string buffer(kReadBytes, '\0');
  std::int64_t total = 0;
  while (true) {
    const ssize_t count = ::read(file->get(), buffer.data(), buffer.size());
    if (count < 0) return errno_error("read " + path, errno);
    if (count == 0) break;
    total += count;
    if (total > kWtmpBytesMax) return Error{Errc::too_large, path + " is over 2 GiB"};
    reader.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
  }
  if (reader.leftover() != 0) {
    gaps_.emplace_back(path, Error{Errc::invalid, "ends with a torn record"});
  }
  if (reader.strange_records() != 0) {
    gaps_.emplace_back(
        path, Error{Errc::invalid, "has records of no known type: damaged, or another machine's"});
  }
  for (const auto& [user, at] : reader.logins()) note(user, at, "wtmp");
  if (sources_.empty()) sources_.emplace_back("wtmp");
  return Ok{};
}

Status LoginHistory::read_database(const Root& root, const std::string& path,
                                   std::string_view source) {
  const auto bytes = root.read(path, kDatabaseBytesMax);
  if (!bytes && bytes.error().code == Errc::not_found) return Ok{};
  if (!bytes) return bytes.error();
  sources_.push_back(source);
  const auto log = root.stat(path + "-wal");
  if (log && log->st_size > 0) {
    gaps_.emplace_back(path + "-wal", Error{Errc::unsupported, "logins that are only in the log"});
  }
  if (bytes->empty()) return Ok{};  // Made, and never written to.
  auto logins = parse_login_database(*bytes, source);
  if (!logins) {
    gaps_.emplace_back(path, std::move(logins).error());
    return Ok{};
  }
  for (const auto& [user, at] : *logins) note(user, at, source);
  return Ok{};
}

Result<LoginHistory> LoginHistory::read(const Root& root) {
  LoginHistory history;
  for (const std::string path : {"/var/log/wtmp", "/var/log/wtmp.1"}) {
    if (auto status = history.read_wtmp(root, path); !status) return std::move(status).error();
  }
  auto lastlog = root.open_file(kLastlog);
  // Newer releases have a directory of that name.
  if (!lastlog && lastlog.error().code != Errc::not_found && !is_directory(root, kLastlog)) {
    return std::move(lastlog).error();
  }
  if (lastlog) {
    history.lastlog_ = *std::move(lastlog);
    history.sources_.insert(history.sources_.begin(), "lastlog");
  }
  for (const auto& [path, source] : {std::pair{"/var/lib/wtmpdb/wtmp.db", "wtmpdb"},
                                     std::pair{"/var/lib/lastlog/lastlog2.db", "lastlog2"}}) {
    if (auto status = history.read_database(root, path, source); !status) {
      return std::move(status).error();
    }
  }
  if (!history.sources_.empty()) return history;
  return Error{Errc::not_found, "this host keeps no wtmp, lastlog, wtmpdb or lastlog2"};
}

LastLogin LoginHistory::last(const std::string& user, std::int64_t uid) const {
  LastLogin last{{}, fmt::format("{}", fmt::join(sources_, " "))};
  const auto known = newest_.find(user);
  if (known != newest_.end()) last = {known->second.at, std::string(known->second.source)};
  if (!lastlog_) return last;
  // A sparse array by user id.
  std::string record(lastlog_record_size(), '\0');
  const ssize_t count = ::pread(lastlog_.get(), record.data(), record.size(),
                                uid * static_cast<off_t>(record.size()));
  if (count != static_cast<ssize_t>(record.size())) return last;
  const auto at = parse_lastlog_record(record);
  if (at && (!last.at || *at > *last.at)) last = {at, "lastlog"};
  return last;
}

}  // namespace vouch::access
