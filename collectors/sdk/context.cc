// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/context.h"

#include <algorithm>

#include "collectors/sdk/answer.h"
#include "collectors/sdk/request.h"

namespace vouch::sdk {
namespace {

// The runner kills at the deadline; what is not done a little before becomes an error line.
constexpr std::chrono::milliseconds kMarginMax{500};

}  // namespace

void Rows::add(std::initializer_list<Cell> cells) {
  add_cells(cells.begin(), cells.size());
}
void Rows::add(const std::vector<Cell>& cells) {
  add_cells(cells.data(), cells.size());
}
void Rows::add_cells(const Cell* cells, std::size_t count) {
  answer_.add_row(cells, count);
}

void Rows::gap(std::string_view object, const Error& error) {
  answer_.gap(table_, object, error);
}

bool Rows::unchanged(std::string_view token) {
  return answer_.unchanged(token);
}

void Rows::set_token(std::string_view token) {
  answer_.set_token(token);
}

Context::Context(const Request& request, const Root& root, Answer& answer)
    : request_(request), root_(root), answer_(answer) {
  const auto margin = std::min(kMarginMax, request.deadline / 10);
  deadline_ = std::chrono::steady_clock::now() + request.deadline - margin;
}

std::string Context::text_option(std::string_view name, std::string_view fallback) const {
  const auto option = request_.options.find(name);
  const std::string* value =
      option == request_.options.end() ? nullptr : option->second.if_string();
  return value == nullptr ? std::string(fallback) : *value;
}

std::vector<std::string> Context::texts_option(std::string_view name,
                                               std::vector<std::string> fallback) const {
  const auto option = request_.options.find(name);
  if (option == request_.options.end()) return fallback;
  const json::Array* items = option->second.if_array();
  if (items == nullptr) return fallback;
  std::vector<std::string> values;
  for (const json::Value& item : *items) {
    if (const std::string* value = item.if_string()) values.push_back(*value);
  }
  return values;
}

std::int64_t Context::integer_option(std::string_view name, std::int64_t fallback) const {
  const auto option = request_.options.find(name);
  if (option == request_.options.end()) return fallback;
  const std::int64_t* value = option->second.if_integer();
  return value == nullptr ? fallback : *value;
}

std::vector<const json::Value*> Context::objects_option(std::string_view name) const {
  std::vector<const json::Value*> objects;
  const auto option = request_.options.find(name);
  if (option == request_.options.end()) return objects;
  const json::Array* items = option->second.if_array();
  if (items == nullptr) return objects;
  for (const json::Value& item : *items) objects.push_back(&item);
  return objects;
}

bool Context::boolean_option(std::string_view name, bool fallback) const {
  const auto option = request_.options.find(name);
  if (option == request_.options.end()) return fallback;
  const bool* value = option->second.if_bool();
  return value == nullptr ? fallback : *value;
}

const std::string& Context::cache_dir() const {
  return request_.cache_dir;
}

std::chrono::milliseconds Context::remaining() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

WallSeconds Context::now() const {
  return SystemClock().wall_ms() / 1000;
}

void Context::log(std::string_view level, std::string_view message) {
  answer_.log(level, message);
}

}  // namespace vouch::sdk
