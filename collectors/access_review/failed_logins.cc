// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/failed_logins.h"

#include <utmpx.h>

#include <algorithm>
#include <cstring>

namespace vouch::access {
namespace {

constexpr std::size_t kNameBytes = sizeof(utmpx::ut_user);
// Some daemons write the one type, some the other.
constexpr short kTypeMax = 9;

// struct tally of pam_faillock: source[52], reserved, status, time.
constexpr std::size_t kTallyBytes = 64;
constexpr std::size_t kTallyStatusAt = 54;
constexpr std::size_t kTallyTimeAt = 56;
constexpr std::uint16_t kTallyValid = 1;

std::int64_t start_of_day(std::int64_t seconds) {
  return seconds - seconds % kSecondsPerDay;
}

}  // namespace

FailedLogins::FailedLogins(const std::set<std::string, std::less<>>& accounts, std::int64_t since)
    : since_(since) {
  for (const std::string& name : accounts) accounts_.insert(name.substr(0, kNameBytes));
}

void FailedLogins::feed(std::string_view records) {
  for (; records.size() >= sizeof(struct utmpx); records.remove_prefix(sizeof(struct utmpx))) {
    struct utmpx entry;
    std::memcpy(&entry, records.data(), sizeof entry);
    if (entry.ut_type < EMPTY || entry.ut_type > kTypeMax) {
      ++strange_;
      continue;
    }
    if (entry.ut_type != LOGIN_PROCESS && entry.ut_type != USER_PROCESS) continue;
    // 32 bits without a sign on most architectures.
    const std::int64_t at =
        std::max<std::int64_t>(0, static_cast<std::uint32_t>(entry.ut_tv.tv_sec));
    oldest_ = std::min(oldest_.value_or(at), at);
    if (at < since_) continue;
    const std::string_view name(entry.ut_user, ::strnlen(entry.ut_user, kNameBytes));
    const bool is_known = accounts_.contains(name);
    ++counts_[{is_known ? std::string(name) : std::string(), start_of_day(at)}];
  }
}

Tally parse_tally(std::string_view bytes) {
  Tally tally;
  tally.is_torn = bytes.size() % kTallyBytes != 0;
  for (; bytes.size() >= kTallyBytes; bytes.remove_prefix(kTallyBytes)) {
    std::uint16_t status = 0;
    std::uint64_t at = 0;
    std::memcpy(&status, bytes.data() + kTallyStatusAt, sizeof status);
    std::memcpy(&at, bytes.data() + kTallyTimeAt, sizeof at);
    if ((status & kTallyValid) == 0) continue;
    ++tally.failures;
    constexpr std::uint64_t kYear9999 = 253'402'300'799;
    tally.newest =
        std::max(tally.newest.value_or(0), static_cast<std::int64_t>(std::min(at, kYear9999)));
  }
  return tally;
}

}  // namespace vouch::access
