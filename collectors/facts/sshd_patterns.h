// SPDX-License-Identifier: Apache-2.0
// Patterns of ssh_config(5), as sshd compares them: with `*` and `?` alone, in lists with commas,
// where `!` takes out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::facts {

// What a list says of a value. A pattern with `!` that fits is refused, whatever else fits.
enum class ListAnswer { none, accepted, refused };

bool ssh_pattern_fits(std::string_view pattern, std::string_view value);
ListAnswer ssh_list_answer(std::string_view list, std::string_view value);
std::vector<std::string_view> split_list(std::string_view list);  // At commas, empty parts kept.

// An address as a number of 128 bits, most significant first; IPv4 in the first four bytes.
struct IpAddress {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;
  [[nodiscard]] int bits() const { return is_v6 ? 128 : 32; }
};

std::optional<IpAddress> parse_ip(std::string_view text);
std::string ip_text(const IpAddress& address);

struct IpNetwork {
  IpAddress address;
  int prefix = 0;

  [[nodiscard]] bool contains(const IpAddress& other) const;
  // The first address behind the network; none if it reaches to the end.
  [[nodiscard]] std::optional<IpAddress> next() const;
};

enum class NetworkFault { not_a_network, bits_beyond_mask };
struct NetworkResult {
  std::optional<IpNetwork> network;
  NetworkFault fault = NetworkFault::not_a_network;
};
// "10.0.0.0/8", or a single address.
NetworkResult parse_network(std::string_view text);

// A list of addresses, networks and patterns (addr_match_list of sshd). nullopt: the list is one
// that sshd refuses to start with.
std::optional<ListAnswer> ssh_address_answer(std::string_view list, std::string_view address);

}  // namespace vouch::facts
