// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/sshd_patterns.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vouch::facts {
namespace {

constexpr std::size_t kPatternBytesMax = 1023;  // sshd's own: a longer one fits nothing.

}  // namespace

bool ssh_pattern_fits(std::string_view pattern, std::string_view value) {
  // The usual way back to the last star: no recursion, whatever the pattern.
  std::size_t p = 0;
  std::size_t v = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (v < value.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = v;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == value[v])) {
      ++p;
      ++v;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      v = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string_view> split_list(std::string_view list) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

ListAnswer ssh_list_answer(std::string_view list, std::string_view value) {
  ListAnswer answer = ListAnswer::none;
  for (std::string_view pattern : split_list(list)) {
    const bool is_negated = pattern.starts_with('!');
    if (is_negated) pattern.remove_prefix(1);
    if (pattern.size() > kPatternBytesMax) return ListAnswer::none;
    if (!ssh_pattern_fits(pattern, value)) continue;
    if (is_negated) return ListAnswer::refused;
    answer = ListAnswer::accepted;
  }
  return answer;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string name(text);
  IpAddress address;
  if (::inet_pton(AF_INET, name.c_str(), address.bytes.data()) == 1) return address;
  address.is_v6 = true;
  if (::inet_pton(AF_INET6, name.c_str(), address.bytes.data()) == 1) return address;
  return {};
}

std::string ip_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.is_v6 ? AF_INET6 : AF_INET;
  ::inet_ntop(family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

bool IpNetwork::contains(const IpAddress& other) const {
  if (other.is_v6 != address.is_v6) return false;
  for (int bit = 0; bit < prefix; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if (((address.bytes[byte] ^ other.bytes[byte]) & mask) != 0) return false;
  }
  return true;
}

std::optional<IpAddress> IpNetwork::next() const {
  IpAddress after = address;
  for (int bit = prefix - 1; bit >= 0; --bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    after.bytes[byte] = static_cast<std::uint8_t>(after.bytes[byte] ^ mask);
    if ((after.bytes[byte] & mask) != 0) return after;  // No carry.
  }
  return {};
}

NetworkResult parse_network(std::string_view text) {
  NetworkResult result;
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return result;
  IpNetwork network{*address, address->bits()};
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    const char* end = length.data() + length.size();
    const auto parsed = std::from_chars(length.data(), end, network.prefix);
    if (length.empty() || parsed.ec != std::errc() || parsed.ptr != end || network.prefix < 0 ||
        network.prefix > 128) {
      return result;
    }
  }
  result.fault = NetworkFault::bits_beyond_mask;
  if (network.prefix > address->bits()) return result;
  for (int bit = network.prefix; bit < address->bits(); ++bit) {
    const int mask = 0x80 >> (bit % 8);
    if ((address->bytes[static_cast<std::size_t>(bit / 8)] & mask) != 0) return result;
  }
  result.network = network;
  return result;
}

std::optional<ListAnswer> ssh_address_answer(std::string_view list, std::string_view address) {
  const auto own = parse_ip(address);
  ListAnswer answer = ListAnswer::none;
  for (std::string_view pattern : split_list(list)) {
    const bool is_negated = pattern.starts_with('!');
    if (is_negated) pattern.remove_prefix(1);
    if (pattern.empty()) return {};
    const NetworkResult parsed = parse_network(pattern);
    if (!parsed.network && parsed.fault == NetworkFault::bits_beyond_mask) return {};
    const bool fits = own && (parsed.network ? parsed.network->contains(*own)
                                             : ssh_pattern_fits(pattern, address));
    if (!fits) continue;
    if (is_negated) return ListAnswer::refused;
    answer = ListAnswer::accepted;
  }
  return answer;
}

}  // namespace vouch::facts
