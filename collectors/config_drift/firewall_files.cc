// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/firewall_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

using facts::take_word;

constexpr std::size_t kTokensMax = 500'000;

// Words, strings in quotes, and the signs { } ; and the end of a line, which ends a statement.
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) tokens.push_back(std::exchange(word, {}));
  };
  for (std::size_t i = 0; i < text.size() && tokens.size() < kTokensMax; ++i) {
    const char c = text[i];
    if (c == '#') {
      flush();
      i = std::min(text.find('\n', i), text.size());
      tokens.emplace_back(";");
    } else if (c == '"') {
      const std::size_t end = std::min(text.find('"', i + 1), text.size());
      word += text.substr(i + 1, end - i - 1);
      tokens.push_back(std::exchange(word, {}));
      i = end;
    } else if (c == '\\') {
      continue;  // "\;" for the shell, or a line that goes on: then the line's end is next.
    } else if (c == '{' || c == '}' || c == ';' || c == '\n') {
      flush();
      const bool is_continued = c == '\n' && i > 0 && text[i - 1] == '\\';
      if (!is_continued) tokens.emplace_back(c == '\n' ? ";" : std::string(1, c));
    } else if (c == ' ' || c == '\t' || c == '\r') {
      flush();
    } else {
      word += c;
    }
  }
  flush();
  return tokens;
}

bool is_family(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kFamilies{"ip",  "ip6",    "inet",
                                                             "arp", "bridge", "netdev"};
  return std::find(kFamilies.begin(), kFamilies.end(), word) != kFamilies.end();
}

std::string family_name(std::string_view word) {
  return word == "ip" ? "ipv4" : word == "ip6" ? "ipv6" : std::string(word);
}

class NftParser {
 public:
  explicit NftParser(std::string_view text) : tokens_(tokens_of(text)) {}

  NftablesFile parse() {
    while (at_ < tokens_.size()) statement();
    for (auto& [key, chain] : chains_) {
      if (chain.policy.empty() && !chain.hook.empty()) chain.policy = "accept";
      if (chain.default_action.empty()) chain.default_action = chain.policy;
      out_.chains.push_back(std::move(chain));
    }
    return std::move(out_);
  }

 private:
  std::string next() { return at_ < tokens_.size() ? tokens_[at_++] : ""; }
  std::string_view peek() const {
    return at_ < tokens_.size() ? std::string_view(tokens_[at_]) : std::string_view();
  }
  bool is_end() const { return at_ >= tokens_.size() || peek() == ";" || peek() == "}"; }

  // Passes over the rest of a statement, with the sets in braces that it may hold.
  std::vector<std::string> rest() {
    std::vector<std::string> words;
    int depth = 0;
    while (at_ < tokens_.size()) {
      if (depth == 0 && (peek() == ";" || peek() == "}")) break;
      if (peek() == "{") ++depth;
      if (peek() == "}") --depth;
      words.push_back(next());
    }
    if (peek() == ";") ++at_;
    return words;
  }

  void statement() {
    const std::string word = next();
    if (word == ";" || word == "}") return;
    if (word == "include") {
      out_.includes.push_back(next());
    } else if (word == "table") {
      table();
    } else if (word == "flush" && peek() == "ruleset") {
      chains_.clear();
    } else if (word == "add" || word == "create") {
      add();
    } else {
      rest();
    }
  }

  std::string take_family() { return is_family(peek()) ? family_name(next()) : "ipv4"; }

  void table() {
    const std::string family = take_family();
    const std::string name = next();
    if (peek() != "{") return;
    ++at_;
    while (at_ < tokens_.size() && peek() != "}") {
      const std::string word = next();
      if (word == "chain") {
        const std::string chain = next();
        if (peek() == "{") body(get(family, name, chain));
      } else if (word != ";") {
        rest();
      }
    }
    ++at_;
  }

  void add() {
    const std::string what = next();
    if (what != "chain" && what != "rule" && what != "table") {
      rest();
      return;
    }
    if (what == "table") return table();
    const std::string family = take_family();
    const std::string name = next();
    FirewallChain& chain = get(family, name, next());
    if (what == "rule") {
      add_rule(chain, rest());
    } else if (peek() == "{") {
      body(chain);
    }
  }

  FirewallChain& get(const std::string& family, const std::string& table,
                     const std::string& chain) {
    FirewallChain& made = chains_[{family, table, chain}];
    made.family = family;
    made.table = table;
    made.chain = chain;
    return made;
  }

  // { type filter hook input priority 0; policy drop; rules }
  void body(FirewallChain& chain) {
    ++at_;
    while (at_ < tokens_.size() && peek() != "}") {
      if (peek() == ";") {
        ++at_;
        continue;
      }
      const auto words = rest();
      if (words.empty()) {
        ++at_;
      } else if (words[0] == "type") {
        const auto hook = std::find(words.begin(), words.end(), "hook");
        if (hook != words.end() && hook + 1 != words.end()) chain.hook = *(hook + 1);
      } else if (words[0] == "policy") {
        chain.policy = words.size() > 1 ? words[1] : "";
      } else if (words[0] != "comment") {
        add_rule(chain, words);
      }
    }
    ++at_;
  }

  static void add_rule(FirewallChain& chain, const std::vector<std::string>& words) {
    ++chain.rules;
    // A verdict with nothing before it but what counts and logs holds for every packet.
    std::size_t i = 0;
    while (i < words.size() && words[i] != "drop" && words[i] != "reject" && words[i] != "accept") {
      if (words[i] != "counter" && words[i] != "log") break;
      const bool is_log = words[i++] == "log";
      while (is_log && i < words.size() && words[i] != "drop" && words[i] != "reject" &&
             words[i] != "accept" && words[i] != "counter") {
        ++i;
      }
      while (!is_log && i + 1 < words.size() && (words[i] == "packets" || words[i] == "bytes")) {
        i += 2;
      }
    }
    const bool is_verdict =
        i < words.size() && (words[i] == "drop" || words[i] == "reject" || words[i] == "accept");
    if (is_verdict && chain.default_action.empty()) chain.default_action = words[i];
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  std::map<std::tuple<std::string, std::string, std::string>, FirewallChain> chains_;
  NftablesFile out_;
};

}  // namespace

NftablesFile parse_nftables(std::string_view text) {
  return NftParser(text).parse();
}

std::vector<FirewallChain> parse_iptables_save(std::string_view text, std::string_view family) {
  std::vector<FirewallChain> chains;
  std::string table;
  facts::each_line(text, [&](std::string_view line, int) {
    if (line[0] == '*') {
      table = line.substr(1);
    } else if (table == "filter" && line[0] == ':') {
      line.remove_prefix(1);
      FirewallChain chain{std::string(family), table, std::string(take_word(line)), "", "", "", 0};
      const std::string policy = facts::lower_case(take_word(line));
      if (policy != "-") {
        chain.policy = chain.default_action = policy;
        chain.hook = facts::lower_case(chain.chain);
      }
      chains.push_back(std::move(chain));
    } else if (table == "filter" && line.starts_with("-A ")) {
      auto words = facts::words_of(line);
      const auto chain = std::find_if(chains.begin(), chains.end(), [&](const FirewallChain& each) {
        return words.size() > 1 && each.chain == words[1];
      });
      if (chain == chains.end()) return;
      ++chain->rules;
      const bool is_last_word = words.size() > 3 && words[2] == "-j" &&
                                (words[3] == "DROP" || words[3] == "REJECT") &&
                                chain->default_action == "accept";
      if (is_last_word) chain->default_action = facts::lower_case(words[3]);
    }
  });
  return chains;
}

std::string shell_value(std::string_view text, std::string_view name) {
  std::string value;
  facts::each_line(text, [&](std::string_view line, int) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != "=") return;
    value = line.substr(name.size() + 1);
    std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
  });
  return value;
}

FirewallChain parse_firewalld_zone(std::string_view xml, std::string_view zone) {
  FirewallChain chain{"inet", "zone", std::string(zone), "input", "reject", "", 0};
  const std::size_t begin = xml.find("<zone");
  const std::string_view head =
      begin == xml.npos ? "" : xml.substr(begin, xml.find('>', begin) - begin);
  const std::size_t target = head.find("target=");
  if (target != head.npos) {
    const std::string value = facts::lower_case(head.substr(target + 8, 8));
    if (value.starts_with("drop")) chain.policy = "drop";
    if (value.starts_with("accept")) chain.policy = "accept";
  }
  chain.default_action = chain.policy;
  for (const std::string_view element : {"<service ", "<port ", "<rule", "<source-port "}) {
    for (std::size_t at = 0; (at = xml.find(element, at)) != xml.npos; ++at) ++chain.rules;
  }
  return chain;
}

}  // namespace vouch::drift
