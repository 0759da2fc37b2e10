// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/systemd_config.h"

#include <array>
#include <charconv>

#include "collectors/facts/lines.h"
#include "collectors/facts/unit_settings.h"

namespace vouch::facts {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::array<std::string_view, 5> kDirectories{
    "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"};

bool is_masked(const Root& root, const std::string& path) {
  const auto link = root.read_link(path);
  return link && *link == "/dev/null";
}

void read_file(const Root& root, const std::string& path, SystemdConfig& config) {
  if (is_masked(root, path)) return;
  const auto text = root.read(path, kConfigBytesMax);
  if (!text) {
    config.gaps.emplace_back(path, text.error());
    return;
  }
  for (UnitSetting& setting : parse_unit(*text)) {
    config.settings[{std::move(setting.section), std::move(setting.key)}] = {
        std::move(setting.value), path};
  }
}

// Takes the digits at the front.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return number;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

std::optional<std::int64_t> multiply(std::int64_t number, std::int64_t factor) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(number, factor, &product)) return std::nullopt;
  return product;
}

}  // namespace

SystemdConfig read_systemd_config(const Root& root, std::string_view name) {
  SystemdConfig config;
  std::map<std::string, std::string> drop_ins;
  bool has_main = false;
  for (const std::string_view directory : kDirectories) {
    const std::string path = std::string(directory) + '/' + std::string(name);
    if (!has_main && root.lstat(path)) {
      has_main = true;
      read_file(root, path, config);
    }
    const auto names = root.list(path + ".d");
    if (!names && names.error().code != Errc::not_found) {
      config.gaps.emplace_back(path + ".d", names.error());
    }
    for (const std::string& each : names.value_or({})) {
      if (each.ends_with(".conf")) drop_ins.try_emplace(each, path + ".d/" + each);
    }
  }
  for (const auto& [each, path] : drop_ins) read_file(root, path, config);
  return config;
}

std::optional<std::int64_t> parse_time_span(std::string_view text) {
  constexpr std::int64_t kDay = 86400;
  static constexpr std::array<Unit, 24> kUnits{
      {{"s", 1},        {"sec", 1},         {"second", 1},
       {"seconds", 1},  {"m", 60},          {"min", 60},
       {"minute", 60},  {"minutes", 60},    {"h", 3600},
       {"hr", 3600},    {"hour", 3600},     {"hours", 3600},
       {"d", kDay},     {"day", kDay},      {"days", kDay},
       {"w", 7 * kDay}, {"week", 7 * kDay}, {"weeks", 7 * kDay},
       {"M", 2629800},  {"month", 2629800}, {"months", 2629800},
       {"y", 31557600}, {"year", 31557600}, {"years", 31557600}}};
  std::int64_t total = 0;
  text = trim(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    text = trim(text);
    const std::string_view name = text.substr(0, text.find_first_of("0123456789 \t"));
    std::int64_t factor = name.empty() ? 1 : 0;
    for (const Unit& unit : kUnits) {
      if (unit.name == name) factor = unit.factor;
    }
    const auto part = multiply(*number, factor);
    if (factor == 0 || !part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
    text.remove_prefix(name.size());
    text = trim(text);
  }
  return total;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  text = trim(text);
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  static constexpr std::array<Unit, 6> kUnits{{{"", 1},
                                               {"K", 1 << 10},
                                               {"M", 1 << 20},
                                               {"G", 1 << 30},
                                               {"T", std::int64_t{1} << 40},
                                               {"P", std::int64_t{1} << 50}}};
  for (const Unit& unit : kUnits) {
    if (unit.name == text) return multiply(*number, unit.factor);
  }
  return std::nullopt;
}

}  // namespace vouch::facts
