// SPDX-License-Identifier: Apache-2.0
#include "store/bounds.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/encoding.h"

namespace vouch::store {
namespace {

constexpr WallMs kHourMs = 3600 * 1000;
constexpr std::size_t kIpv6PrefixBytes = 8;

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

std::string client_name(const std::string& address) {
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, address.c_str(), &ipv6) != 1) return address;
  const std::string_view bytes(reinterpret_cast<const char*>(&ipv6), sizeof ipv6);
  // An IPv4 address in the clothes of IPv6 is that address, not one of a network of them all.
  if (IN6_IS_ADDR_V4MAPPED(&ipv6)) return hex_encode(bytes.substr(bytes.size() - sizeof(in_addr)));
  return hex_encode(bytes.substr(0, kIpv6PrefixBytes));
}

bool ConnectionBook::enter(const std::string& client) {
  const auto found = held_.find(client);
  const std::size_t held = found == held_.end() ? 0 : found->second;
  if (count_ >= connections_max_ || held >= per_client_max_) return false;
  if (held >= kFew && count_ >= connections_max_ - connections_max_ / 4) return false;
  held_[client] = held + 1;
  ++count_;
  return true;
}

void ConnectionBook::leave(const std::string& client) {
  const auto found = held_.find(client);
  if (found == held_.end()) return;
  --count_;
  if (--found->second == 0) held_.erase(found);
}

}  // namespace vouch::store
