// SPDX-License-Identifier: Apache-2.0
#include "core/yaml_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace vouch {
namespace {

constexpr std::size_t kPathsMax = 10'000;

struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};
constexpr std::array<Unit, 4> kDurations{{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr std::array<Unit, 4> kSizes{
    {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}};

template <std::size_t N>
Result<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                     std::string_view example) {
  std::int64_t factor = 1;
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.suffix)) continue;
    factor = unit.factor;
    text.remove_suffix(unit.suffix.size());
    break;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || number < 0 || number > json::kIntegerMax / factor) {
    return Error{Errc::invalid, fmt::format("expected {}", example)};
  }
  return number * factor;
}

bool is_absolute(std::string_view path) {
  return !path.empty() && path[0] == '/';
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  return parse_with_unit(text, kDurations, "a time such as 30s, 5m, 1h or 7d");
}

Result<std::int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizes, "a size such as 64KiB, 256MiB or 1GiB");
}

Result<std::int64_t> parse_count(std::string_view text) {
  return parse_with_unit(text, std::array<Unit, 0>(), "a number such as 256");
}

YamlSection::YamlSection(const yaml::Node& node, std::string_view file_name, std::string_view what)
    : node_(node), file_name_(file_name), what_(what) {
  if (node.kind != yaml::Node::Kind::mapping) {
    fail(node, fmt::format("{}: expected a mapping", what));
  }
}

const yaml::Node* YamlSection::take(std::string_view key) {
  known_.emplace_back(key);
  if (error_ || node_.kind != yaml::Node::Kind::mapping) return nullptr;
  return node_.find(key);
}

void YamlSection::fail(const yaml::Node& at, std::string_view message) {
  if (!error_) error_ = yaml::error_at(file_name_, at, message);
}

void YamlSection::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void YamlSection::text(std::string_view key, std::string& out, const Allowed& allowed,
                       std::string_view expected) {
  const yaml::Node* node = take(key);
  if (node == nullptr) return;
  if (node->kind != yaml::Node::Kind::scalar || !allowed(node->scalar)) {
    return fail(*node, fmt::format("{}: expected {}", key, expected));
  }
  out = node->scalar;
}

void YamlSection::path(std::string_view key, std::string& out) {
  text(key, out, is_absolute, "an absolute path");
}

void YamlSection::texts(std::string_view key, std::vector<std::string>& out, std::size_t most,
                        const Allowed& allowed, std::string_view expected) {
  const yaml::Node* node = take(key);
  if (node == nullptr) return;
  const auto good = [&](const yaml::Node& item) {
    return item.kind == yaml::Node::Kind::scalar && allowed(item.scalar);
  };
  if (node->kind != yaml::Node::Kind::sequence ||
      !std::all_of(node->items.begin(), node->items.end(), good)) {
    return fail(*node, fmt::format("{}: expected a list of {}", key, expected));
  }
  if (node->items.size() > most) {
    return fail(*node, fmt::format("{}: more than {} entries", key, most));
  }
  out.clear();
  for (const auto& item : node->items) out.push_back(item.scalar);
}

void YamlSection::paths(std::string_view key, std::vector<std::string>& out) {
  texts(key, out, kPathsMax, is_absolute, "absolute paths");
}

void YamlSection::boolean(std::string_view key, bool& out) {
  std::string word = out ? "true" : "false";
  text(
      key, word, [](std::string_view text) { return text == "true" || text == "false"; },
      "true or false");
  out = word == "true";
}

void YamlSection::number(std::string_view key, std::int64_t& out, Parse parse, std::int64_t min,
                         std::int64_t max) {
  const yaml::Node* node = take(key);
  if (node == nullptr) return;
  if (node->kind != yaml::Node::Kind::scalar) {
    return fail(*node, fmt::format("{}: expected a value", key));
  }
  const auto value = parse(node->scalar);
  if (!value) return fail(*node, fmt::format("{}: {}", key, value.error().message));
  if (*value < min || *value > max) {
    const auto unit = parse == parse_duration ? " seconds" : parse == parse_size ? " bytes" : "";
    return fail(
        *node, fmt::format("{}: {} is not between {} and {}{}", key, node->scalar, min, max, unit));
  }
  out = *value;
}

Status YamlSection::finish() {
  for (const auto& [key, value] : node_.members) {
    if (std::find(known_.begin(), known_.end(), key.scalar) != known_.end()) continue;
    fail(key, fmt::format("unknown key \"{}\" in {}; allowed are {}", key.scalar, what_,
                          fmt::join(known_, ", ")));
  }
  if (error_) return *error_;
  return Ok{};
}

}  // namespace vouch
