// SPDX-License-Identifier: Apache-2.0
#include "proto/policy_file.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace vouch::policy_file {
namespace {

constexpr std::string_view kNone = "none";

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const auto end = line.find_first_of(" \t", begin);
    words.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

// Reads the file line by line, keeping what may be referred to.
class Reader {
 public:
  Status line(std::string_view text) {
    const auto words = split(text);
    if (words.empty() || words.front().starts_with('#')) return Ok{};
    const auto& kind = words.front();
    if (kind == "log") return log(words);
    if (kind == "witness") return witness(words);
    if (kind == "group") return group(words);
    if (kind == "quorum") return quorum(words);
    return invalid(fmt::format("\"{}\" is none of log, witness, group, quorum", kind));
  }

  Result<Policy> finish() && {
    if (policy_.quorum.empty()) return invalid("no quorum line");
    return std::move(policy_);
  }

 private:
  using Words = std::vector<std::string_view>;

  Status log(const Words& words) {
    if (words.size() != 2 && words.size() != 3) return invalid("expected: log <vkey> [<url>]");
    auto key = fresh_key(words[1], note::KeyType::log);
    if (!key) return std::move(key).error();
    policy_.logs.push_back({*std::move(key), std::string(words.size() == 3 ? words[2] : "")});
    return Ok{};
  }

  Status witness(const Words& words) {
    if (words.size() != 3 && words.size() != 4) {
      return invalid("expected: witness <name> <vkey> [<url>]");
    }
    if (auto ok = define(words[1]); !ok) return ok;
    auto key = fresh_key(words[2], note::KeyType::cosignature);
    if (!key) return std::move(key).error();
    policy_.witnesses.push_back(
        {std::string(words[1]), *std::move(key), std::string(words.size() == 4 ? words[3] : "")});
    return Ok{};
  }

  Status group(const Words& words) {
    if (words.size() < 4) return invalid("expected: group <name> all|any|<k> <name>...");
    Group group;
    group.name = words[1];
    for (auto member = words.begin() + 3; member != words.end(); ++member) {
      if (!defined_.contains(*member)) {
        return invalid(fmt::format("\"{}\" is not defined above", *member));
      }
      if (!used_.emplace(*member).second) {
        return invalid(fmt::format("\"{}\" is a member already", *member));
      }
      group.members.emplace_back(*member);
    }
    const auto threshold = parse_threshold(words[2], group.members.size());
    if (threshold == 0) {
      return invalid(
          fmt::format("\"{}\" is none of all, any, 1 to {}", words[2], group.members.size()));
    }
    group.threshold = threshold;
    if (auto ok = define(words[1]); !ok) return ok;
    policy_.groups.push_back(std::move(group));
    return Ok{};
  }

  Status quorum(const Words& words) {
    if (words.size() != 2) return invalid("expected: quorum <name>|none");
    if (!policy_.quorum.empty()) return invalid("a second quorum line");
    if (words[1] != kNone && !defined_.contains(words[1])) {
      return invalid(fmt::format("\"{}\" is not defined above", words[1]));
    }
    policy_.quorum = words[1];
    return Ok{};
  }

  Status define(std::string_view name) {
    if (name == kNone) return invalid("the name \"none\" is taken");
    if (!defined_.emplace(name).second) {
      return invalid(fmt::format("\"{}\" is defined already", name));
    }
    return Ok{};
  }

  // A key of the type that the line wants, not seen before: one key under two names would count
  // twice.
  Result<note::VerifierKey> fresh_key(std::string_view vkey, note::KeyType type) {
    auto key = note::parse_vkey(vkey);
    if (!key) return key;
    if (key->type != type) return invalid("verifier key of the wrong type for this line");
    auto& keys = type == note::KeyType::log ? log_keys_ : witness_keys_;
    if (!keys.insert(key->public_key).second) return invalid("this public key is listed already");
    return key;
  }

  static std::size_t parse_threshold(std::string_view text, std::size_t members) {
    if (text == "any") return 1;
    if (text == "all") return members;
    std::size_t k = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), k);
    if (error != std::errc{} || end != text.data() + text.size() || text.front() == '0') return 0;
    return k <= members ? k : 0;
  }

  Policy policy_;
  std::set<std::string, std::less<>> defined_;
  std::set<std::string, std::less<>> used_;
  std::set<std::string> log_keys_;
  std::set<std::string> witness_keys_;
};

}  // namespace

std::vector<note::VerifierKey> Policy::witness_keys() const {
  std::vector<note::VerifierKey> keys;
  for (const auto& witness : witnesses) keys.push_back(witness.key);
  return keys;
}

const Log* Policy::only_log() const {
  return logs.size() == 1 ? &logs.front() : nullptr;
}

Result<Policy> parse(std::string_view text) {
  if (text.size() > kPolicyBytesMax) return Error{Errc::too_large, "policy file over 64 KiB"};
  Reader reader;
  for (int number = 1; !text.empty(); ++number) {
    const auto context = fmt::format("line {}", number);
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return invalid("no newline at the end").in(context);
    const auto line = text.substr(0, end);
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) return invalid("control byte").in(context);
    }
    auto read = reader.line(line);
    if (!read) return std::move(read).error().in(context);
    text.remove_prefix(end + 1);
  }
  return std::move(reader).finish();
}

std::string write(const Policy& policy) {
  std::string text;
  const auto url = [](const std::string& u) { return u.empty() ? u : " " + u; };
  for (const auto& log : policy.logs) {
    text += fmt::format("log {}{}\n", note::write_vkey(log.key), url(log.url));
  }
  for (const auto& witness : policy.witnesses) {
    text += fmt::format("witness {} {}{}\n", witness.name, note::write_vkey(witness.key),
                        url(witness.url));
  }
  for (const auto& group : policy.groups) {
    text +=
        fmt::format("group {} {} {}\n", group.name, group.threshold, fmt::join(group.members, " "));
  }
  return text + fmt::format("quorum {}\n", policy.quorum);
}

bool quorum_met(const Policy& policy, const std::vector<note::Verified>& witnesses) {
  if (policy.quorum == kNone) return true;
  std::map<std::string, bool, std::less<>> met;
  for (const auto& witness : policy.witnesses) {
    met[witness.name] = std::any_of(witnesses.begin(), witnesses.end(), [&](const auto& verified) {
      return verified.key == witness.key;
    });
  }
  for (const auto& group : policy.groups) {  // Members stand above their group.
    const auto count = std::count_if(group.members.begin(), group.members.end(),
                                     [&](const auto& member) { return met[member]; });
    met[group.name] = static_cast<std::size_t>(count) >= group.threshold;
  }
  return met[policy.quorum];
}

}  // namespace vouch::policy_file
