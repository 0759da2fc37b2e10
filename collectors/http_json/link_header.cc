// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/link_header.h"

#include <algorithm>

namespace vouch::http_json {
namespace {

const Error kNoLinks{Errc::invalid, "its Link header cannot be read"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_word(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(),
                                                  [](char a, char b) { return lower(a) == b; });
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }
  // Up to `end`, which is dropped; nullopt if it never comes.
  std::optional<std::string_view> take_until(char end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto text = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return text;
  }
  std::string_view take_token() {
    const auto end = std::min(rest_.find_first_of(" \t=;,\""), rest_.size());
    const auto token = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return token;
  }
  // After its opening quote.
  std::optional<std::string> take_quoted() {
    std::string out;
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
      } else if (!rest_.empty()) {
        out += rest_[0];
        rest_.remove_prefix(1);
      }
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

bool has_next(std::string_view relations) {
  while (!relations.empty()) {
    const auto end = std::min(relations.find(' '), relations.size());
    if (is_word(relations.substr(0, end), "next")) return true;
    relations.remove_prefix(std::min(end + 1, relations.size()));
  }
  return false;
}

// The parameters of one link. Only the first rel counts.
Result<bool> leads_to_next(Scanner& scanner) {
  std::optional<bool> is_next;
  while (scanner.take(';')) {
    const auto name = scanner.take_token();
    std::string value;
    if (scanner.take('=')) {
      if (scanner.take('"')) {
        auto quoted = scanner.take_quoted();
        if (!quoted) return kNoLinks;
        value = *std::move(quoted);
      } else {
        value = scanner.take_token();
      }
    }
    if (is_word(name, "rel") && !is_next) is_next = has_next(value);
  }
  return is_next.value_or(false);
}

}  // namespace

Result<std::optional<std::string>> next_link(std::string_view header) {
  Scanner scanner(header);
  scanner.skip_space();
  while (!scanner.at_end()) {
    if (scanner.take(',')) continue;  // An empty element.
    if (!scanner.take('<')) return kNoLinks;
    const auto target = scanner.take_until('>');
    if (!target) return kNoLinks;
    const auto is_next = leads_to_next(scanner);
    if (!is_next) return is_next.error();
    if (*is_next) return std::optional<std::string>(*target);
    scanner.skip_space();
    if (!scanner.at_end() && !scanner.take(',')) return kNoLinks;
  }
  return std::optional<std::string>();
}

}  // namespace vouch::http_json
