// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/yaml_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/clock.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

const std::vector<yaml::Node> kNoNodes;

bool among(std::string_view value, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::int64_t> parse_integer(const yaml::Node& node) {
  std::int64_t value = 0;
  const auto& text = node.scalar;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (node.kind != yaml::Node::Kind::scalar || node.quoted || !whole) return std::nullopt;
  if (value < -json::kIntegerMax || value > json::kIntegerMax) return std::nullopt;
  return value;
}

}  // namespace

YamlFields::YamlFields(std::string_view file_name, const yaml::Node& node,
                       std::initializer_list<std::string_view> allowed)
    : file_name_(file_name), node_(node) {
  if (node.kind != yaml::Node::Kind::mapping) fail(node, "expected a mapping");
  for (const auto& [key, value] : node.members) {
    if (!among(key.scalar, allowed)) {
      fail(key,
           fmt::format("unknown key \"{}\"; allowed are {}", key.scalar, fmt::join(allowed, ", ")));
    }
  }
}

void YamlFields::fail(const yaml::Node& node, std::string_view what) {
  if (!error_) error_ = yaml::error_at(file_name_, node, what);
}

void YamlFields::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

Status YamlFields::status() const {
  if (error_) return *error_;
  return Ok{};
}

const yaml::Node* YamlFields::require(std::string_view key) {
  const auto* node = node_.find(key);
  if (node == nullptr) fail(node_, fmt::format("\"{}\" is missing", key));
  return node;
}

std::string YamlFields::scalar(const yaml::Node& node, std::string_view key) {
  const auto text = trimmed(node.scalar);
  if (node.kind != yaml::Node::Kind::scalar || text.empty()) {
    fail(node, fmt::format("\"{}\" must be a text", key));
  }
  if (text.find('\0') != std::string_view::npos) fail(node, "a text holds U+0000");
  return std::string(text);
}

std::string YamlFields::text(std::string_view key) {
  const auto* node = require(key);
  return node == nullptr ? "" : scalar(*node, key);
}

std::string YamlFields::text_or(std::string_view key, std::string_view fallback) {
  const auto* node = node_.find(key);
  return node == nullptr ? std::string(fallback) : scalar(*node, key);
}

std::string YamlFields::id(std::string_view key) {
  auto value = text(key);
  if (ok() && !is_id(value)) {
    fail(*node_.find(key),
         fmt::format("\"{}\" is no id: letters, digits, \".\", \"_\", \"-\", at most 64, the first "
                     "a letter or digit",
                     value));
  }
  return value;
}

std::string YamlFields::second(std::string_view key) {
  auto value = text(key);
  if (ok() && !parse_second(value)) {
    fail(*node_.find(key), fmt::format("\"{}\" is no time such as 2026-11-21T19:30:00Z", value));
  }
  return value;
}

std::string YamlFields::second_or(std::string_view key, std::string_view fallback) {
  return node_.find(key) == nullptr ? std::string(fallback) : second(key);
}

std::int64_t YamlFields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* node = require(key);
  if (node == nullptr) return least;
  const auto value = parse_integer(*node);
  if (!value || *value < least || *value > most) {
    fail(*node, fmt::format("\"{}\" must be an integer from {} to {}", key, least, most));
    return least;
  }
  return *value;
}

std::optional<std::int64_t> YamlFields::optional_integer(std::string_view key) {
  const auto* node = node_.find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = parse_integer(*node);
  if (!value) fail(*node, fmt::format("\"{}\" must be an integer", key));
  return value;
}

bool YamlFields::boolean_or(std::string_view key, bool fallback) {
  const auto* node = node_.find(key);
  if (node == nullptr) return fallback;
  const bool plain = node->kind == yaml::Node::Kind::scalar && !node->quoted;
  if (!plain || !among(node->scalar, {"true", "false"})) {
    fail(*node, fmt::format("\"{}\" must be true or false", key));
  }
  return node->scalar == "true";
}

std::string YamlFields::one_of(std::string_view key,
                               std::initializer_list<std::string_view> values) {
  auto value = text(key);
  if (ok() && !among(value, values)) {
    fail(*node_.find(key),
         fmt::format("\"{}\": \"{}\" is not one of {}", key, value, fmt::join(values, ", ")));
  }
  return value;
}

std::string YamlFields::one_of_or(std::string_view key,
                                  std::initializer_list<std::string_view> values,
                                  std::string_view fallback) {
  return node_.find(key) == nullptr ? std::string(fallback) : one_of(key, values);
}

const std::vector<yaml::Node>& YamlFields::sequence(std::string_view key, std::size_t most) {
  return require(key) == nullptr ? kNoNodes : optional_sequence(key, most);
}

const std::vector<yaml::Node>& YamlFields::optional_sequence(std::string_view key,
                                                             std::size_t most) {
  const auto* node = node_.find(key);
  if (node == nullptr) return kNoNodes;
  if (node->kind != yaml::Node::Kind::sequence) {
    fail(*node, fmt::format("\"{}\" must be a list", key));
    return kNoNodes;
  }
  if (node->items.size() > most) {
    fail(*node, fmt::format("\"{}\" has {} entries, over {}", key, node->items.size(), most));
  }
  return node->items;
}

std::vector<std::string> YamlFields::texts(std::string_view key, std::size_t most) {
  std::vector<std::string> result;
  for (const auto& item : optional_sequence(key, most)) result.push_back(scalar(item, key));
  return result;
}

const yaml::Node* YamlFields::mapping(std::string_view key) {
  const auto* node = node_.find(key);
  if (node != nullptr && node->kind != yaml::Node::Kind::mapping) {
    fail(*node, fmt::format("\"{}\" must be a mapping", key));
    return nullptr;
  }
  return node;
}

Result<json::Object> read_cells(std::string_view file_name, const yaml::Node& node) {
  if (node.kind != yaml::Node::Kind::mapping) {
    return yaml::error_at(file_name, node, "expected a mapping of names to values");
  }
  json::Object cells;
  for (const auto& [key, value] : node.members) {
    if (value.kind == yaml::Node::Kind::mapping) {
      return yaml::error_at(file_name, value, "expected a text, a number, true, false or null");
    }
    auto cell = yaml::to_json(value, file_name);
    if (!cell) return std::move(cell).error();
    cells.emplace(key.scalar, *std::move(cell));
  }
  return cells;
}

}  // namespace vouch::policy
