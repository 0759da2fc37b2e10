// SPDX-License-Identifier: Apache-2.0
// Which connections tell the Match blocks of a configuration apart.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_admission.h"
#include "collectors/facts/sshd_match.h"
#include "collectors/facts/sshd_patterns.h"

namespace vouch::facts {
namespace {

constexpr std::size_t kOriginsMax = 20'000;
constexpr int kPortMax = 65535;

// In the order in which they were found: the first ones are those that nothing names.
class Values {
 public:
  void add(std::string value) {
    if (seen_.insert(value).second) list_.push_back(std::move(value));
  }
  [[nodiscard]] const std::vector<std::string>& list() const { return list_; }

 private:
  std::set<std::string> seen_;
  std::vector<std::string> list_;
};

std::string without_negation(std::string_view pattern) {
  return std::string(pattern.starts_with('!') ? pattern.substr(1) : pattern);
}

// Something that the pattern fits.
std::string example_of(std::string_view pattern, std::string_view for_star, char for_any) {
  std::string out;
  for (const char c : pattern) {
    if (c == '*') {
      out += for_star;
    } else {
      out += c == '?' ? for_any : c;
    }
  }
  return out;
}

// "10.1.*" as 10.1.0.0/16: sshd compares text, but these are the same addresses.
std::optional<IpNetwork> network_of_stars(std::string_view pattern) {
  if (!pattern.ends_with(".*")) return {};
  std::string text(pattern.substr(0, pattern.size() - 2));
  const auto dots = std::count(text.begin(), text.end(), '.');
  if (dots > 2) return {};
  for (auto i = dots; i < 3; ++i) text += ".0";
  const auto address = parse_ip(text);
  if (!address || address->is_v6) return {};
  return IpNetwork{*address, static_cast<int>(8 * (dots + 1))};
}

bool add_addresses_of(Values& values, std::string_view pattern) {
  auto network = parse_network(pattern).network;
  if (!network) network = network_of_stars(pattern);
  if (network) {
    values.add(ip_text(network->address));
    if (const auto next = network->next()) values.add(ip_text(*next));
    return true;
  }
  for (const std::string_view star : {"1", "1.1", "1.1.1", "1.1.1.1", "::1", ":1", "1::1", ""}) {
    const std::string example = example_of(pattern, star, '1');
    if (!parse_ip(example) || !ssh_pattern_fits(pattern, example)) continue;
    values.add(example);
    return true;
  }
  return false;
}

struct Named {
  Values addresses, hosts, local_addresses, ports, domains;
};

Status add(Named& named, const SshdCriterion& criterion, bool asks_for_names) {
  for (const std::string_view part : split_list(criterion.value)) {
    const std::string pattern = without_negation(part);
    bool is_known = true;
    if (criterion.name == "address") {
      is_known = add_addresses_of(named.addresses, pattern);
    } else if (criterion.name == "localaddress") {
      is_known = add_addresses_of(named.local_addresses, pattern);
    } else if (criterion.name == "localport") {
      named.ports.add(pattern);
    } else if (criterion.name == "rdomain") {
      named.domains.add(example_of(pattern, "x", 'x'));
    } else if (criterion.name == "host" && asks_for_names) {
      named.hosts.add(lower_case(example_of(pattern, "x", 'x')));
    } else if (criterion.name == "host") {
      add_addresses_of(named.addresses, pattern);  // A name is none's address: it never fits.
    }
    if (!is_known) {
      return Error{Errc::unsupported,
                   fmt::format("Match {}: no address is known that fits", criterion.name)};
    }
  }
  return Ok{};
}

// The hosts of "USER@HOST": addresses and, where sshd asks for them, names.
void add_hosts_of(Named& named, const SshdDirective& directive, bool asks_for_names) {
  for (const std::string& argument : directive.arguments) {
    if (argument.find('@') == std::string::npos) continue;
    for (const std::string_view part : split_list(host_part(argument))) {
      const std::string pattern = without_negation(part);
      add_addresses_of(named.addresses, pattern);
      if (asks_for_names) named.hosts.add(lower_case(example_of(pattern, "x", 'x')));
    }
  }
}

std::string first_value(const SshdConfig& config, std::string_view keyword,
                        std::string_view fallback) {
  for (const SshdDirective& directive : config.directives) {
    if (directive.keyword == keyword && directive.blocks.empty()) return directive.arguments[0];
  }
  return std::string(fallback);
}

int port_number(const std::string& text) {
  int port = 0;
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, port).ptr == end && port > 0 && port <= kPortMax ? port
                                                                                            : 0;
}

std::vector<SshdOrigin> combine(const Named& named) {
  std::vector<SshdOrigin> origins;
  for (const std::string& port : named.ports.list()) {
    for (const std::string& domain : named.domains.list()) {
      for (const std::string& local : named.local_addresses.list()) {
        for (const std::string& host : named.hosts.list()) {
          for (const std::string& address : named.addresses.list()) {
            origins.push_back(
                {address, host.empty() ? address : host, local, port_number(port), domain});
          }
        }
      }
    }
  }
  return origins;
}

}  // namespace

Result<std::vector<SshdOrigin>> sshd_origins(const SshdConfig& config) {
  const bool asks_for_names = lower_case(first_value(config, "usedns", "no")) == "yes";
  Named named;
  // What no configuration names: addresses for documentation (RFC 5737, RFC 3849).
  named.addresses.add("192.0.2.1");
  named.addresses.add("2001:db8::1");
  named.local_addresses.add("192.0.2.2");
  named.hosts.add("");
  named.domains.add("");
  for (const SshdDirective& directive : config.directives) {
    if (directive.keyword == "port") named.ports.add(directive.arguments[0]);
  }
  if (named.ports.list().empty()) named.ports.add("22");
  for (const SshdMatch& match : config.matches) {
    for (const SshdCriterion& criterion : match.criteria) {
      const Status added = add(named, criterion, asks_for_names);
      if (!added) return added.error();
    }
  }
  for (const SshdDirective& directive : config.directives) {
    if (directive.keyword == "allowusers" || directive.keyword == "denyusers") {
      add_hosts_of(named, directive, asks_for_names);
    }
  }
  // One after the other: the product of five large numbers may be more than a number holds.
  std::size_t count = 1;
  for (const Values* values :
       {&named.addresses, &named.hosts, &named.local_addresses, &named.ports, &named.domains}) {
    count *= values->list().size();
    if (count > kOriginsMax) {
      return Error{Errc::too_large, "the Match blocks tell too many connections apart"};
    }
  }
  return combine(named);
}

}  // namespace vouch::facts
