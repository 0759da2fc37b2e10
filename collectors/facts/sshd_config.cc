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

// Names that a keyword had before.
std::string_view current_name(std::string_view keyword) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOldNames{
      {{"challengeresponseauthentication", "kbdinteractiveauthentication"},
       {"skeyauthentication", "kbdinteractiveauthentication"},
       {"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
       {"hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"},
       {"hostdsakey", "hostkey"},
       {"keepalive", "tcpkeepalive"}}};
  for (const auto& [old, name] : kOldNames) {
    if (keyword == old) return name;
  }
  return keyword;
}

bool parse_line(std::string_view line, SshdDirective& out) {
  std::size_t end = 0;
  while (end < line.size() && !is_space(line[end]) && line[end] != '=') ++end;
  out.keyword = current_name(lower(line.substr(0, end)));
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
    add(main, *text, {}, 0);
    return std::move(config_);
  }

 private:
  struct Block {
    std::string match;                // As the tables show it.
    std::vector<std::size_t> blocks;  // As SshdDirective::blocks.
  };

  void add(const std::string& path, std::string_view text, const Block& outer, int depth) {
    config_.files.push_back(path);
    SshdConfig parsed = parse_sshd_config(text, path);
    std::move(parsed.gaps.begin(), parsed.gaps.end(), std::back_inserter(config_.gaps));
    Block block = outer;
    for (SshdDirective& directive : parsed.directives) {
      if (directive.keyword == "match") {
        block = open_block(outer, directive);
      } else if (directive.keyword == "include") {
        for (const std::string& pattern : directive.arguments) include(pattern, block, depth + 1);
      } else {
        directive.match = block.match;
        directive.blocks = block.blocks;
        config_.directives.push_back(std::move(directive));
      }
    }
  }

  Block open_block(const Block& outer, const SshdDirective& directive) {
    const std::string own = join(directive.arguments);
    Block block = outer;
    if (lower(own) != "all") block.match += (outer.match.empty() ? "" : " and ") + own;
    block.blocks.push_back(config_.matches.size());
    auto criteria = parse_sshd_criteria(directive.arguments);
    if (!criteria) {
      config_.gaps.emplace_back(fmt::format("{}:{}", directive.source, directive.line),
                                std::move(criteria).error());
      criteria = std::vector<SshdCriterion>{};
    }
    config_.matches.push_back({*std::move(criteria), directive.source, directive.line});
    return block;
  }

  void include(const std::string& pattern, const Block& block, int depth) {
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
        add(path, *text, block, depth);
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

Result<std::vector<SshdCriterion>> parse_sshd_criteria(const std::vector<std::string>& arguments) {
  // sshd takes `User=ann` and `User = ann` for `User ann`.
  std::vector<SshdCriterion> criteria;
  bool wants_value = false;
  for (std::string_view word : arguments) {
    if (word == "=") continue;
    if (wants_value) {
      criteria.back().value = word;
      wants_value = word.empty();
      continue;
    }
    const std::size_t equals = std::min(word.find('='), word.size());
    criteria.push_back({lower(word.substr(0, equals)), ""});
    word.remove_prefix(std::min(word.size(), equals + 1));
    criteria.back().value = word;
    const std::string& name = criteria.back().name;
    wants_value = word.empty() && name != "all" && name != "invalid-user";
  }
  if (wants_value) return Error{Errc::invalid, "a criterion of Match without a pattern"};
  for (const SshdCriterion& criterion : criteria) {
    if (criterion.name == "all" && criteria.size() > 1) {
      return Error{Errc::invalid, "Match all stands alone"};
    }
  }
  return criteria;
}

Result<SshdConfig> read_sshd_config(const Root& root) {
  return Reader(root).read();
}

bool sshd_keyword_accumulates(std::string_view keyword) {
  static constexpr std::array<std::string_view, 10> kLists{
      "acceptenv", "allowgroups",     "allowusers",    "denygroups", "denyusers",
      "hostkey",   "hostcertificate", "listenaddress", "port",       "subsystem"};
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
