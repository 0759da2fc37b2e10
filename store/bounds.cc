// SPDX-License-Identifier: Apache-2.0
#include "store/bounds.h"

namespace vouch::store {
namespace {

constexpr WallMs kHourMs = 3600 * 1000;

}  // namespace

std::optional<QuotaBook::Exceeded> QuotaBook::charge(std::string_view agent, std::int64_t bytes,
                                                     WallMs now) {
  return add(agent, bytes, 1, now);
}

std::optional<QuotaBook::Exceeded> QuotaBook::charge_more(std::string_view agent,
                                                          std::int64_t bytes, WallMs now) {
  return add(agent, bytes, 0, now);
}

std::optional<QuotaBook::Exceeded> QuotaBook::add(std::string_view agent, std::int64_t bytes,
                                                  std::int64_t parcels, WallMs now) {
  const std::lock_guard lock(mutex_);
  if (now / kHourMs != hour_) {
    hour_ = now / kHourMs;
    used_.clear();
  }
  auto& used = used_[std::string(agent)];
  if (used.parcels + parcels > quota_.parcels) return Exceeded{"parcels", quota_.parcels};
  if (bytes > quota_.bytes - used.bytes) return Exceeded{"bytes", quota_.bytes};
  used.parcels += parcels;
  used.bytes += bytes;
  return std::nullopt;
}

}  // namespace vouch::store
