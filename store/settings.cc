// SPDX-License-Identifier: Apache-2.0
#include "store/settings.h"

#include <arpa/inet.h>

#include <charconv>
#include <utility>

#include "core/json.h"

namespace vouch::store {
namespace {

constexpr std::int64_t kPortMax = 65535;
constexpr std::int64_t kSecondsMax = 86400;

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{Errc::invalid, "\"" + std::string(text) + "\": not a port"};
  }
  return port;
}

bool is_ip_address(const std::string& text) {
  in6_addr bytes{};  // Long enough for both.
  return ::inet_pton(AF_INET, text.c_str(), &bytes) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &bytes) == 1;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string Settings::url() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string write_settings(const Settings& settings) {
  return json::write_pretty(json::Object{{"origin", settings.origin},
                                         {"host", settings.host},
                                         {"address", settings.address},
                                         {"port", std::int64_t{settings.port}},
                                         {"overdue_grace_s", settings.overdue_grace_s},
                                         {"late_after_s", settings.late_after_s},
                                         {"own_ca", settings.own_ca}}) +
         "\n";
}

Result<Settings> parse_settings(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return std::move(value).error();
  Settings settings;
  struct Text {
    const char* key;
    std::string* target;
  };
  for (const auto& [key, target] : {Text{"origin", &settings.origin}, Text{"host", &settings.host},
                                    Text{"address", &settings.address}}) {
    auto member = json::get_string(*value, key);
    if (!member) return std::move(member).error();
    *target = *std::move(member);
  }
  auto port = json::get_integer(*value, "port");
  if (!port) return std::move(port).error();
  if (*port < 0 || *port > kPortMax) return Error{Errc::invalid, "member \"port\": not a port"};
  settings.port = static_cast<std::uint16_t>(*port);
  for (const auto& [key, target] : {std::pair{"overdue_grace_s", &settings.overdue_grace_s},
                                    std::pair{"late_after_s", &settings.late_after_s}}) {
    if (value->find(key) == nullptr) continue;
    auto member = json::get_integer(*value, key);
    if (!member) return std::move(member).error();
    if (*member < 0 || *member > kSecondsMax) {
      return Error{Errc::invalid, std::string("member \"") + key + "\": not 0 to 86400 seconds"};
    }
    *target = *member;
  }
  auto own_ca = json::get_bool(*value, "own_ca");
  if (!own_ca) return std::move(own_ca).error();
  settings.own_ca = *own_ca;
  return settings;
}

Status parse_listen(std::string_view text, Settings& settings) {
  std::string_view address = text;
  std::string_view port;
  const auto colon = text.rfind(':');
  if (is_number(text)) {
    port = text;
    address = {};
  } else if (colon != std::string_view::npos && text.back() != ']') {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  if (!address.empty() && !is_ip_address(std::string(address))) {
    return Error{Errc::invalid,
                 "\"" + std::string(text) + "\": not an IP address and port, as in 0.0.0.0:8443"};
  }
  if (!port.empty()) {
    auto parsed = parse_port(port);
    if (!parsed) return std::move(parsed).error();
    settings.port = *parsed;
  }
  if (!address.empty()) settings.address = address;
  return Ok{};
}

}  // namespace vouch::store
