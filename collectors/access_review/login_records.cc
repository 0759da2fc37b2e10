// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/login_records.h"

#include <lastlog.h>
#include <utmpx.h>

#include <algorithm>
#include <cstring>

namespace vouch::access {
namespace {

// Users beyond this many are not followed; a host has fewer, a forged file may have any number.
constexpr std::size_t kUsersMax = 100'000;

// The fields have 32 bits on most architectures and no sign that would make sense.
std::int64_t seconds_of(std::int64_t value) {
  return value < 0 ? static_cast<std::int64_t>(static_cast<std::uint32_t>(value)) : value;
}

std::string_view until_nul(const char* field, std::size_t size) {
  return {field, ::strnlen(field, size)};
}

}  // namespace

std::size_t WtmpReader::record_size() {
  return sizeof(struct utmpx);
}

void WtmpReader::feed(std::string_view bytes) {
  if (!rest_.empty()) {
    const std::size_t missing = std::min(record_size() - rest_.size(), bytes.size());
    rest_.append(bytes.substr(0, missing));
    bytes.remove_prefix(missing);
    if (rest_.size() < record_size()) return;
    record(rest_);
    rest_.clear();
  }
  while (bytes.size() >= record_size()) {
    record(bytes.substr(0, record_size()));
    bytes.remove_prefix(record_size());
  }
  rest_ = std::string(bytes);
}

void WtmpReader::record(std::string_view bytes) {
  struct utmpx entry;
  std::memcpy(&entry, bytes.data(), sizeof entry);
  if (entry.ut_type < EMPTY || entry.ut_type > 9) {
    ++strange_;
    return;
  }
  if (entry.ut_type != USER_PROCESS) return;
  const std::string_view user = until_nul(entry.ut_user, sizeof entry.ut_user);
  if (user.empty() || logins_.size() >= kUsersMax) return;
  std::int64_t& newest = logins_[std::string(user)];
  newest = std::max(newest, seconds_of(entry.ut_tv.tv_sec));
}

std::size_t lastlog_record_size() {
  return sizeof(struct lastlog);
}

std::optional<std::int64_t> parse_lastlog_record(std::string_view record) {
  struct lastlog entry;
  if (record.size() < sizeof entry) return {};
  std::memcpy(&entry, record.data(), sizeof entry);
  if (entry.ll_time == 0) return {};
  return seconds_of(entry.ll_time);
}

}  // namespace vouch::access
