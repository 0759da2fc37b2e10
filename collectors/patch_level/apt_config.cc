// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_config.h"

#include <algorithm>
#include <utility>

#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kItemsMax = 20000;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// Walks one file's text.
class Reader {
 public:
  Reader(std::string_view text, AptConfig& config) : text_(text), config_(config) {}

  Status read() {
    while (true) {
      skip_space();
      if (at_ == text_.size()) break;
      if (config_.items().size() > kItemsMax) return error("more than 20000 values");
      if (auto status = statement(); !status) return status;
    }
    if (!scopes_.empty()) return error("a scope is not closed: `}` is missing");
    if (!words_.empty()) return error("the last statement is not closed: `;` is missing");
    return Ok{};
  }

 private:
  [[nodiscard]] Error error(std::string_view what) const {
    const auto line =
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return {Errc::invalid, "line " + std::to_string(line + 1) + ": " + std::string(what)};
  }

  [[nodiscard]] bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_to(std::string_view what) {
    const auto end = text_.find(what, at_);
    at_ = end == std::string_view::npos ? text_.size() : end + what.size();
  }

  void skip_space() {
    while (at_ < text_.size()) {
      const bool is_directive = starts_with_ignoring_case(text_.substr(at_), "#clear") ||
                                starts_with_ignoring_case(text_.substr(at_), "#include");
      if (is_space(text_[at_])) {
        ++at_;
      } else if (at("/*")) {
        at_ += 2;
        skip_to("*/");
      } else if (at("//") || (text_[at_] == '#' && !is_directive)) {
        skip_to("\n");
      } else {
        return;
      }
    }
  }

  // One word, or one of `;{}`.
  Status statement() {
    const char c = text_[at_];
    if (c == '}') {
      if (!words_.empty()) return error("`;` is missing before `}`");
      if (scopes_.empty()) return error("`}` without `{`");
      scopes_.pop_back();
      ++at_;
      skip_space();
      if (at(";")) ++at_;
      return Ok{};
    }
    if (c == '{' || c == ';') {
      auto status = c == '{' ? open_scope() : assign();
      ++at_;
      words_.clear();
      return status;
    }
    if (c == '"') return quoted_word();
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && !at("//") && !at("/*") &&
           std::string_view(";{}\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    words_.emplace_back(text_.substr(begin, at_ - begin));
    return Ok{};
  }

  Status quoted_word() {
    std::string word;
    std::size_t end = at_ + 1;
    for (; end < text_.size() && text_[end] != '"'; ++end) {
      if (text_[end] == '\\' && end + 1 < text_.size()) ++end;
      word += text_[end];
    }
    if (end >= text_.size()) return error("a quoted value is not closed: `\"` is missing");
    at_ = end + 1;
    words_.push_back(std::move(word));
    return Ok{};
  }

  [[nodiscard]] std::string full_name(std::string_view tag) const {
    std::string name = scopes_.empty() ? std::string() : scopes_.back();
    if (!name.empty() && !tag.empty()) name += "::";
    return name.append(tag);
  }

  Status open_scope() {
    if (words_.empty()) return error("a scope without a name");
    if (scopes_.size() >= kDepthMax) return error("scopes are nested too deeply");
    const std::string name = full_name(words_[0]);
    if (words_.size() > 1) config_.set(name, joined_words());
    scopes_.push_back(name);
    return Ok{};
  }

  Status assign() {
    if (words_.empty()) return Ok{};  // A lone `;`.
    if (equal_ignoring_case(words_[0], "#include")) return error("#include is not supported");
    if (equal_ignoring_case(words_[0], "#clear")) {
      for (std::size_t i = 1; i < words_.size(); ++i) config_.clear(full_name(words_[i]));
      return Ok{};
    }
    if (words_.size() == 1) {
      if (scopes_.empty()) return error("a value without a name");
      config_.append(scopes_.back(), words_[0]);
    } else if (words_[0].ends_with("::")) {
      const std::string name = full_name(words_[0]);
      config_.append(std::string_view(name).substr(0, name.size() - 2), joined_words());
    } else {
      config_.set(full_name(words_[0]), joined_words());
    }
    return Ok{};
  }

  [[nodiscard]] std::string joined_words() const {
    std::string value = words_[1];
    for (std::size_t i = 2; i < words_.size(); ++i) value += ' ' + words_[i];
    return value;
  }

  std::string_view text_;
  AptConfig& config_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;   // Of the statement that is being read.
  std::vector<std::string> scopes_;  // Full names.
};

}  // namespace

Status AptConfig::read(std::string_view text) {
  return Reader(text, *this).read();
}

std::string AptConfig::get(std::string_view name, std::string_view fallback) const {
  for (const Item& item : items_) {
    if (equal_ignoring_case(item.name, name)) return item.value;
  }
  return std::string(fallback);
}

bool AptConfig::get_bool(std::string_view name, bool fallback) const {
  return apt_bool(get(name), fallback);
}

std::vector<std::string> AptConfig::list(std::string_view name) const {
  std::vector<std::string> values;
  const std::string below = std::string(name) + "::";
  for (const Item& item : items_) {
    if (item.value.empty()) continue;
    if (equal_ignoring_case(item.name, name) || starts_with_ignoring_case(item.name, below)) {
      values.push_back(item.value);
    }
  }
  return values;
}

void AptConfig::set(std::string name, std::string value) {
  for (Item& item : items_) {
    if (!equal_ignoring_case(item.name, name)) continue;
    item.value = std::move(value);
    return;
  }
  items_.push_back({std::move(name), std::move(value)});
}

void AptConfig::append(std::string_view list, std::string value) {
  items_.push_back({std::string(list) + "::", std::move(value)});
}

void AptConfig::clear(std::string_view name) {
  while (name.ends_with("::")) name.remove_suffix(2);
  const std::string below = std::string(name) + "::";
  std::erase_if(items_, [&](const Item& item) {
    return equal_ignoring_case(item.name, name) || starts_with_ignoring_case(item.name, below);
  });
}

bool apt_bool(std::string_view text, bool fallback) {
  for (const std::string_view yes : {"yes", "true", "with", "on", "enable", "1"}) {
    if (equal_ignoring_case(text, yes)) return true;
  }
  for (const std::string_view no : {"no", "false", "without", "off", "disable", "0"}) {
    if (equal_ignoring_case(text, no)) return false;
  }
  return fallback;
}

bool is_apt_part(std::string_view name, std::string_view extension, bool may_lack_extension) {
  if (name.empty() || name.front() == '.') return false;
  const auto is_valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (!std::all_of(name.begin(), name.end(), is_valid)) return false;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return may_lack_extension;
  return name.substr(dot + 1) == extension;
}

}  // namespace vouch::patch_level
