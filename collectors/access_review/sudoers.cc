// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/sudoers.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "collectors/access_review/sudoers_scanner.h"

namespace vouch::access {
namespace {

using Kind = SudoersScanner::Kind;

// Each positive tag and the one that it takes back.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTags{{
    {"EXEC", "NOEXEC"},
    {"FOLLOW", "NOFOLLOW"},
    {"INTERCEPT", "NOINTERCEPT"},
    {"LOG_INPUT", "NOLOG_INPUT"},
    {"LOG_OUTPUT", "NOLOG_OUTPUT"},
    {"MAIL", "NOMAIL"},
    {"PASSWD", "NOPASSWD"},
    {"SETENV", "NOSETENV"},
}};
constexpr std::array<std::string_view, 10> kSettings{
    "ROLE",     "TYPE",    "PRIVS", "LIMITPRIVS", "NOTBEFORE",
    "NOTAFTER", "TIMEOUT", "CWD",   "CHROOT",     "APPARMOR_PROFILE"};
constexpr std::array<std::string_view, 4> kDigests{"sha224", "sha256", "sha384", "sha512"};

bool is_alias_name(std::string_view word) {
  return !word.empty() && word[0] >= 'A' && word[0] <= 'Z' &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::optional<SudoAlias::Kind> alias_kind(std::string_view keyword) {
  if (keyword == "User_Alias") return SudoAlias::Kind::user;
  if (keyword == "Runas_Alias") return SudoAlias::Kind::run_as;
  if (keyword == "Host_Alias") return SudoAlias::Kind::host;
  if (keyword == "Cmnd_Alias" || keyword == "Cmd_Alias") return SudoAlias::Kind::command;
  return {};
}

void set_tag(std::vector<std::string>& tags, std::string_view tag) {
  for (const auto& [positive, negative] : kTags) {
    if (tag != positive && tag != negative) continue;
    std::erase(tags, positive);
    std::erase(tags, negative);
  }
  tags.emplace_back(tag);
  std::sort(tags.begin(), tags.end());
}

bool is_tag(std::string_view word) {
  return std::any_of(kTags.begin(), kTags.end(),
                     [&](const auto& tag) { return word == tag.first || word == tag.second; });
}

// Each function takes its part from the scanner; false: it is not there, the statement is a fault.
class Parser {
 public:
  explicit Parser(std::string_view text) : scan_(text) {}

  SudoersFile parse() {
    while (!scan_.at_end()) {
      const bool is_include = scan_.at_include();
      if (is_include || !scan_.at_line_end()) {
        const int line = scan_.line();
        problem_ = "is not a statement of sudoers";
        const bool good = is_include ? include(line) : statement(line);
        if (!good || !scan_.at_line_end()) file_.faults.push_back({line, problem_});
      }
      scan_.skip_line();
    }
    return std::move(file_);
  }

 private:
  bool statement(int line) {
    const auto start = scan_.mark();
    const auto keyword = scan_.word();
    if (keyword && keyword->starts_with("Defaults")) {
      if (*keyword == "Defaults" || keyword->starts_with("Defaults@")) return defaults(*keyword);
    }
    if (keyword) {
      if (const auto kind = alias_kind(*keyword)) return aliases(*kind);
    }
    scan_.reset(start);
    return rule(line);
  }

  bool include(int line) {
    problem_ = "is an include without a path";
    if (!scan_.take('@')) scan_.take('#');
    const auto keyword = scan_.word();
    if (!keyword) return false;
    auto path = scan_.path();
    if (!path) return false;
    file_.includes.push_back({line, *std::move(path), *keyword == "includedir"});
    return true;
  }

  bool list(std::vector<SudoItem>& items, Kind kind) {
    do {
      const bool negated = scan_.take_negation();
      auto word = scan_.word(kind);
      if (!word) return false;
      items.push_back({negated, *std::move(word)});
    } while (scan_.take(','));
    return true;
  }

  bool command_list(std::vector<SudoItem>& items) {
    do {
      SudoItem item;
      if (!command(item)) return false;
      items.push_back(std::move(item));
    } while (scan_.take(','));
    return true;
  }

  // "sha256:…, sha512:… /path": the digests stay in front of the command.
  bool digests(std::string& out) {
    while (true) {
      const auto start = scan_.mark();
      const auto word = scan_.word();
      if (!word || std::find(kDigests.begin(), kDigests.end(), *word) == kDigests.end() ||
          !scan_.take(':')) {
        scan_.reset(start);
        return out.empty() || !out.ends_with(',');
      }
      const std::string digest = scan_.digest();
      if (digest.empty()) return false;
      out += std::string(out.empty() ? "" : " ") + *word + ":" + digest;
      if (scan_.take(',')) out += ',';
    }
  }

  bool command(SudoItem& item) {
    item.negated = scan_.take_negation();
    std::string prefix;
    if (!digests(prefix)) return false;
    if (!prefix.empty()) prefix += ' ';
    problem_ = "has no fully qualified command where one is due";
    const char first = scan_.peek();
    if (first == '/' || first == '~' || first == '^') {
      auto path = scan_.command();
      if (!path) return false;
      item.text = prefix + *std::move(path);
      return true;
    }
    const auto start = scan_.mark();
    auto word = scan_.word();
    if (!word) return false;
    if (*word == "sudoedit") {
      scan_.reset(start);
      auto edit = scan_.command();
      if (!edit) return false;
      item.text = prefix + *std::move(edit);
      return true;
    }
    if (*word != "list" && !is_alias_name(*word)) return false;
    item.text = prefix + *std::move(word);
    return true;
  }

  bool aliases(SudoAlias::Kind kind) {
    do {
      problem_ = "is an alias without a name in capitals, or without members";
      const auto name = scan_.word();
      if (!name || !is_alias_name(*name) || *name == "ALL" || !scan_.take('=')) return false;
      SudoAlias alias{kind, *name, {}};
      const bool complete =
          kind == SudoAlias::Kind::command
              ? command_list(alias.members)
              : list(alias.members, kind == SudoAlias::Kind::host ? Kind::host : Kind::name);
      if (!complete) return false;
      const bool known = std::any_of(file_.aliases.begin(), file_.aliases.end(), [&](auto& other) {
        return other.kind == kind && other.name == alias.name;
      });
      if (known) {
        problem_ = "defines an alias for the second time";
        return false;
      }
      file_.aliases.push_back(std::move(alias));
    } while (scan_.take(':'));
    return true;
  }

  bool scope(std::string_view keyword, std::string& out) {
    std::vector<SudoItem> items;
    if (keyword.starts_with("Defaults@")) {
      // "@" is a letter of names, so the first host came with the keyword.
      items.push_back({false, std::string(keyword.substr(9))});
      out = "@";
      if (scan_.take(',') && !list(items, Kind::host)) return false;
    } else if (scan_.is_next(':') || scan_.is_next('>')) {
      out = scan_.is_next(':') ? ":" : ">";
      scan_.take(out[0]);
      if (!list(items, Kind::name)) return false;
    } else {
      return true;
    }
    join(items, out);
    return true;
  }

  static void join(const std::vector<SudoItem>& items, std::string& out) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out += ',';
      if (items[i].negated) out += '!';
      out += items[i].text;
    }
  }

  // "Defaults!/bin/ls noexec" has its "!" at once; "Defaults !lecture" after a blank.
  bool defaults(const std::string& keyword) {
    problem_ = "is a Defaults line without an option, or with a broken value";
    std::string where;
    if (scan_.is_next('!')) {
      scan_.take('!');
      std::vector<SudoItem> items;
      // Commands of a scope end at white space: they have no arguments.
      if (!list(items, Kind::name)) return false;
      where = "!";
      join(items, where);
    } else if (!scope(keyword, where)) {
      return false;
    }
    do {
      SudoDefault option;
      option.scope = where;
      option.negated = scan_.take_negation();
      auto name = scan_.word();
      if (!name) return false;
      option.name = *std::move(name);
      // "+" and "-" are letters of names.
      std::string sign;
      if (option.name.ends_with('+') || option.name.ends_with('-')) {
        sign = std::string(1, option.name.back()) + "=";
        option.name.pop_back();
      } else if (scan_.take('+')) {
        sign = "+=";
      } else if (scan_.take('-')) {
        sign = "-=";
      }
      if (scan_.take('=')) {
        auto value = scan_.value();
        if (!value || option.negated) return false;
        option.value = sign + *std::move(value);
      } else if (!sign.empty()) {
        return false;
      }
      file_.defaults.push_back(std::move(option));
    } while (scan_.take(','));
    return true;
  }

  bool run_as(SudoCommand& out) {
    out.run_as_given = true;
    out.run_as_users.clear();
    out.run_as_groups.clear();
    problem_ = "has a run-as list that does not end";
    if (scan_.peek() != ':' && scan_.peek() != ')' && !list(out.run_as_users, Kind::name)) {
      return false;
    }
    if (scan_.take(':') && scan_.peek() != ')' && !list(out.run_as_groups, Kind::name))
      return false;
    return scan_.take(')');
  }

  // "NOPASSWD:" and "CWD=/tmp" hold for this command and those that follow it.
  bool tags(SudoCommand& out) {
    while (true) {
      const auto start = scan_.mark();
      const auto word = scan_.word();
      if (word && is_tag(*word) && scan_.take(':')) {
        set_tag(out.tags, *word);
        continue;
      }
      if (word && std::find(kSettings.begin(), kSettings.end(), *word) != kSettings.end() &&
          scan_.take('=')) {
        const auto value = scan_.value();
        if (!value || value->empty()) return false;
        std::erase_if(out.tags, [&](const auto& tag) { return tag.starts_with(*word + "="); });
        set_tag(out.tags, *word + "=" + *value);
        continue;
      }
      scan_.reset(start);
      return true;
    }
  }

  bool privilege(SudoPrivilege& out) {
    problem_ = "has no list of hosts and \"=\" after the users";
    if (!list(out.hosts, Kind::host) || !scan_.take('=')) return false;
    SudoCommand current;
    do {
      if (scan_.take('(') && !run_as(current)) return false;
      if (!tags(current)) return false;
      current.command = {};
      if (!command(current.command)) return false;
      out.commands.push_back(current);
    } while (scan_.take(','));
    return true;
  }

  bool rule(int line) {
    SudoRule rule;
    rule.line = line;
    if (!list(rule.users, Kind::name)) return false;
    do {
      rule.privileges.emplace_back();
      if (!privilege(rule.privileges.back())) return false;
    } while (scan_.take(':'));
    if (!scan_.at_line_end()) return false;
    file_.rules.push_back(std::move(rule));
    return true;
  }

  SudoersScanner scan_;
  SudoersFile file_;
  std::string problem_;
};

}  // namespace

SudoersFile parse_sudoers(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace vouch::access
