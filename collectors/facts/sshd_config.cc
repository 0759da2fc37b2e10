// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/sshd_config.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <optional>

namespace vouch::facts {
namespace {

constexpr std::size_t kConfigBytesMax = 4 << 20;
constexpr std::size_t kFilesMax = 1000;
constexpr std::size_t kMatchesMax = 10'000;
constexpr std::size_t kComponentsMax = 16;
constexpr int kIncludeDepthMax = 16;  // As sshd's own.

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// The next argument: a word, or a quoted string. nullopt at the end or a comment; `broken` is set
// where a quote does not end.
std::optional<std::string> take_argument(std::string_view& rest, bool& broken) {
  while (!rest.empty() && is_space(rest[0])) rest.remove_prefix(1);
  if (rest.empty() || rest[0] == '#') return {};
  std::string out;
  char quote = '\0';
  while (!rest.empty() && (quote != '\0' || !is_space(rest[0]))) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c == '\\' && !rest.empty() &&
        (rest[0] == '"' || rest[0] == '\'' || rest[0] == '\\' ||
         (quote == '\0' && rest[0] == ' '))) {
      out += rest[0];
      rest.remove_prefix(1);
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      out += c;
    }
  }
  broken = quote != '\0';
  return out;
}

bool parse_line(std::string_view line, SshdDirective& out) {
  std::size_t end = 0;
  while (end < line.size() && !is_space(line[end]) && line[end] != '=') ++end;
  out.keyword = lower(line.substr(0, end));
  line.remove_prefix(end);
  while (!line.empty() && is_space(line[0])) line.remove_prefix(1);
  if (line.starts_with('=')) line.remove_prefix(1);
  bool broken = false;
  while (auto argument = take_argument(line, broken)) {
    if (broken) return false;
    out.arguments.push_back(*std::move(argument));
  }
  return !out.keyword.empty() && !out.arguments.empty();
}

class Reader {
 public:
  explicit Reader(const Root& root) : root_(root) {}

  Result<SshdConfig> read() {
    const std::string main = "/etc/ssh/sshd_config";
    auto text = root_.read(main, kConfigBytesMax);
    if (!text) return std::move(text).error();
    add(main, *text, "", 0);
    return std::move(config_);
  }

 private:
  void add(const std::string& path, std::string_view text, const std::string& outer, int depth) {
    config_.files.push_back(path);
    SshdConfig parsed = parse_sshd_config(text, path);
    std::move(parsed.gaps.begin(), parsed.gaps.end(), std::back_inserter(config_.gaps));
    std::string match = outer;
    for (SshdDirective& directive : parsed.directives) {
      if (directive.keyword == "match") {
        const std::string own = join(directive.arguments);
        const bool is_all = lower(own) == "all";
        match = outer;
        if (!is_all) match += (outer.empty() ? "" : " and ") + own;
      } else if (directive.keyword == "include") {
        for (const std::string& pattern : directive.arguments) include(pattern, match, depth + 1);
      } else {
        directive.match = match;
        config_.directives.push_back(std::move(directive));
      }
    }
  }

  void include(const std::string& pattern, const std::string& match, int depth) {
    const std::string full = pattern.starts_with('/') ? pattern : "/etc/ssh/" + pattern;
    // The directory decides what the pattern finds: a reader that caches must look at it too.
    config_.files.push_back(full.substr(0, full.rfind('/')));
    for (const std::string& path : glob_paths(root_, full)) {
      if (depth > kIncludeDepthMax || config_.files.size() >= kFilesMax) {
        config_.gaps.emplace_back(path, Error{Errc::too_large, "too many includes"});
        return;
      }
      auto text = root_.read(path, kConfigBytesMax);
      if (!text) {
        config_.gaps.emplace_back(path, std::move(text).error());
      } else {
        add(path, *text, match, depth);
      }
    }
  }

  const Root& root_;
  SshdConfig config_;
};

}  // namespace

SshdConfig parse_sshd_config(std::string_view text, std::string_view source) {
  SshdConfig config;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && is_space(line[0])) line.remove_prefix(1);
    if (line.empty() || line[0] == '#') continue;
    SshdDirective directive;
    directive.source = std::string(source);
    directive.line = number;
    if (parse_line(line, directive)) {
      config.directives.push_back(std::move(directive));
    } else {
      config.gaps.emplace_back(fmt::format("{}:{}", source, number),
                               Error{Errc::invalid, "is no keyword with arguments"});
    }
  }
  return config;
}

Result<SshdConfig> read_sshd_config(const Root& root) {
  return Reader(root).read();
}

bool sshd_keyword_accumulates(std::string_view keyword) {
  static constexpr std::array<std::string_view, 9> kLists{
      "acceptenv", "allowgroups",   "allowusers", "denygroups", "denyusers",
      "hostkey",   "listenaddress", "port",       "subsystem"};
  return std::find(kLists.begin(), kLists.end(), keyword) != kLists.end();
}

std::vector<std::string> glob_paths(const Root& root, std::string_view pattern) {
  std::vector<std::string> found = {""};
  for (std::size_t count = 0; !pattern.empty() && count < kComponentsMax; ++count) {
    while (pattern.starts_with('/')) pattern.remove_prefix(1);
    const std::string component(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(component.size());
    if (component.empty()) break;
    const bool is_pattern = component.find_first_of("*?[") != std::string::npos;
    std::vector<std::string> next;
    for (const std::string& parent : found) {
      if (!is_pattern) {
        next.push_back(parent + "/" + component);
        continue;
      }
      const auto names = root.list(parent.empty() ? "/" : parent, kMatchesMax);
      if (!names) continue;
      for (const std::string& name : *names) {
        if (next.size() >= kMatchesMax) break;
        if (::fnmatch(component.c_str(), name.c_str(), FNM_PERIOD) == 0) {
          next.push_back(parent + "/" + name);
        }
      }
    }
    found = std::move(next);
  }
  std::erase_if(found, [&](const std::string& path) {
    // A link that cannot be followed is kept: reading it says why.
    return path.empty() || !root.lstat(path).has_value();
  });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace vouch::facts
