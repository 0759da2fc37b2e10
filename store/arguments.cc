// SPDX-License-Identifier: Apache-2.0
#include "store/arguments.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vouch::store {
namespace {

constexpr std::int64_t kDurationSecondsMax = std::int64_t{3650} * 86400;

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<Arguments> Arguments::parse(const std::vector<std::string>& words,
                                   const std::vector<std::string>& options,
                                   const std::vector<std::string>& flags) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word.front() != '-') {
      arguments.rest_.push_back(word);
      continue;
    }
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (is_one_of(name, flags) && equals == std::string::npos) {
      arguments.values_[name].emplace_back();
    } else if (!is_one_of(name, options)) {
      return Error{Errc::invalid, name + ": no such option here; see --help"};
    } else if (equals != std::string::npos) {
      arguments.values_[name].push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      arguments.values_[name].push_back(words[++i]);
    } else {
      return Error{Errc::invalid, name + ": needs a value"};
    }
  }
  return arguments;
}

std::string Arguments::get(const std::string& name, std::string fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::move(fallback) : found->second.back();
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Result<std::int64_t> parse_count(std::string_view text, std::int64_t value_max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > value_max) {
    return Error{Errc::invalid, "\"" + std::string(text) + "\": expected a number from 1 to " +
                                    std::to_string(value_max)};
  }
  return value;
}

Result<std::int64_t> parse_duration_seconds(std::string_view text) {
  std::int64_t unit = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 86400;
        break;
      default:
        break;
    }
  }
  auto count = unit == 0 ? Result<std::int64_t>(Error{Errc::invalid, ""})
                         : parse_count(text.substr(0, text.size() - 1), kDurationSecondsMax / unit);
  if (!count) {
    return Error{Errc::invalid,
                 "\"" + std::string(text) + "\": expected a duration such as 30m, 24h or 7d"};
  }
  return *count * unit;
}

}  // namespace vouch::store
