// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/json_pointer.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace vouch::sdk {
namespace {

constexpr std::size_t kPointerBytesMax = 1024;

std::optional<std::string> unescape(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      out += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
    out += step[i] == '0' ? '~' : '/';
  }
  return out;
}

std::optional<std::size_t> index_of(std::string_view step) {
  if (step.empty() || (step.size() > 1 && step[0] == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return index;
}

}  // namespace

Result<JsonPointer> JsonPointer::parse(std::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return Error{Errc::invalid, fmt::format("\"{}\" is no JSON pointer: {}", text, why)};
  };
  if (text.size() > kPointerBytesMax) return Error{Errc::too_large, "a JSON pointer over 1 KiB"};
  JsonPointer pointer;
  while (!text.empty()) {
    if (text[0] != '/') return invalid("it is empty or begins with /");
    text.remove_prefix(1);
    auto step = unescape(text.substr(0, text.find('/')));
    if (!step) return invalid("after ~ comes 0 or 1");
    pointer.steps_.push_back(*std::move(step));
    const auto end = text.find('/');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  return pointer;
}

JsonPointer JsonPointer::to_member(std::string name) {
  JsonPointer pointer;
  pointer.steps_.push_back(std::move(name));
  return pointer;
}

const json::Value* JsonPointer::find(const json::Value& value) const {
  const json::Value* at = &value;
  for (const std::string& step : steps_) {
    if (const json::Array* items = at->if_array()) {
      const auto index = index_of(step);
      at = index && *index < items->size() ? &(*items)[*index] : nullptr;
    } else {
      at = at->find(step);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace vouch::sdk
