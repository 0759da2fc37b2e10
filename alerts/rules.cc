// SPDX-License-Identifier: Apache-2.0
#include "alerts/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "alerts/channel_spec.h"
#include "core/yaml.h"
#include "core/yaml_section.h"
#include "proto/names.h"

namespace vouch::alerts {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kYear = 366 * kDay;
constexpr std::size_t kListMax = 200;
constexpr std::size_t kGroupLabelsMax = 8;

bool is_label(std::string_view text) {
  return is_plain_name(text);
}

bool is_pattern(std::string_view text) {
  return !text.empty() && text.size() <= kLabelBytesMax && text.find('*') >= text.size() - 1;
}

bool fits(std::string_view pattern, std::string_view text) {
  if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == text;
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const auto& each) { return fits(each, text); });
}

void read_labels(YamlSection& section, std::string_view key, Labels& out, std::size_t most) {
  const yaml::Node* node = section.take(key);
  if (node == nullptr) return;
  if (node->kind != yaml::Node::Kind::mapping || node->members.size() > most) {
    return section.fail(*node, fmt::format("{}: expected a mapping of at most {}", key, most));
  }
  for (const auto& [name, value] : node->members) {
    if (!is_label(name.scalar) || name.scalar == "kind" || name.scalar == "severity") {
      return section.fail(name, fmt::format("\"{}\" cannot be the name of a label", name.scalar));
    }
    if (value.kind != yaml::Node::Kind::scalar || !is_pattern(value.scalar)) {
      return section.fail(value, fmt::format("{}: expected a text of at most {} bytes", name.scalar,
                                             kLabelBytesMax));
    }
    out[name.scalar] = value.scalar;
  }
}

Status read_match(const yaml::Node& node, std::string_view file_name, Match& match) {
  YamlSection section(node, file_name, "match");
  std::string severity(to_string(match.severity));
  section.text(
      "severity", severity, [](std::string_view text) { return parse_severity(text).has_value(); },
      "low, medium, high or critical");
  section.texts("kinds", match.kinds, kListMax, is_kind,
                fmt::format("kinds: {}", fmt::join(kinds(), ", ")));
  section.texts("controls", match.controls, kListMax, is_pattern, "names of controls");
  read_labels(section, "labels", match.labels, kLabelsMax);
  if (auto status = section.finish(); !status) return status;
  match.severity = parse_severity(severity).value();
  return Ok{};
}

Status read_rule(const yaml::Node& node, std::string_view file_name, const Rules& rules,
                 Rule& rule) {
  YamlSection section(node, file_name, "a rule");
  section.text("name", rule.name, is_id, "a name of letters, digits, dots and dashes");
  if (const yaml::Node* match = section.take("match")) {
    if (auto read = read_match(*match, file_name, rule.match); !read) section.fail(read.error());
  }
  const auto is_channel = [&](std::string_view name) {
    return rules.find_channel(name) != nullptr;
  };
  section.texts("channels", rule.channels, kChannelsMax, is_channel, "channels of this file");
  section.boolean("continue", rule.goes_on);
  section.texts("group_by", rule.group_by, kGroupLabelsMax, is_label, "labels");
  section.number("group_wait", rule.group_wait_s, parse_duration, 0, kDay);
  section.number("group_interval", rule.group_interval_s, parse_duration, 0, kDay);
  section.number("repeat_interval", rule.repeat_s, parse_duration, 0, kYear);
  section.boolean("resolved", rule.resolved);
  if (rule.name.empty()) section.fail(node, "a rule needs a name");
  return section.finish();
}

Status read_rules(const yaml::Node& list, std::string_view file_name, Rules& rules) {
  const auto fail = [&](const yaml::Node& node, std::string_view what) {
    return yaml::error_at(file_name, node, what);
  };
  if (list.kind != yaml::Node::Kind::sequence || list.items.size() > kRulesMax) {
    return fail(list, fmt::format("rules: expected a list of at most {}", kRulesMax));
  }
  std::set<std::string> names;
  for (const yaml::Node& node : list.items) {
    Rule rule;
    if (auto read = read_rule(node, file_name, rules, rule); !read) return read;
    if (!names.insert(rule.name).second) {
      return fail(node, fmt::format("there are two rules \"{}\"", rule.name));
    }
    rules.rules.push_back(std::move(rule));
  }
  return Ok{};
}

Status read_channels(const yaml::Node& node, std::string_view file_name, Rules& rules) {
  if (node.kind != yaml::Node::Kind::mapping || node.members.size() > kChannelsMax) {
    return yaml::error_at(file_name, node,
                          fmt::format("channels: expected a mapping of at most {}", kChannelsMax));
  }
  for (const auto& [key, value] : node.members) {
    if (!is_id(key.scalar)) {
      return yaml::error_at(file_name, key,
                            fmt::format("\"{}\" cannot be the name of a channel", key.scalar));
    }
    auto channel = read_channel(key.scalar, value, file_name);
    if (!channel) return std::move(channel).error();
    rules.channels.push_back(*std::move(channel));
  }
  std::sort(rules.channels.begin(), rules.channels.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return Ok{};
}

struct Bound {
  std::string_view key;
  std::int64_t* value;
  YamlSection::Parse parse;
  std::int64_t min, max;
};

// A mapping of a few numbers under one key.
void read_numbers(YamlSection& top, std::string_view key, std::string_view file_name,
                  const std::vector<Bound>& bounds) {
  const yaml::Node* node = top.take(key);
  if (node == nullptr) return;
  YamlSection section(*node, file_name, key);
  for (const Bound& each : bounds) {
    section.number(each.key, *each.value, each.parse, each.min, each.max);
  }
  if (auto status = section.finish(); !status) top.fail(status.error());
}

}  // namespace

const ChannelSpec* Rules::find_channel(std::string_view name) const {
  const auto found = std::find_if(channels.begin(), channels.end(),
                                  [&](const auto& each) { return each.name == name; });
  return found == channels.end() ? nullptr : &*found;
}

bool matches(const Match& match, const Condition& condition) {
  if (condition.severity < match.severity) return false;
  if (!match.kinds.empty() &&
      std::find(match.kinds.begin(), match.kinds.end(), condition.kind) == match.kinds.end()) {
    return false;
  }
  if (!any_fits(match.controls, label_of(condition, "control"))) return false;
  return std::all_of(match.labels.begin(), match.labels.end(), [&](const auto& each) {
    return fits(each.second, label_of(condition, each.first));
  });
}

Result<Rules> parse_rules(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  Rules rules;
  YamlSection top(*root, file_name, "the rules of alerts");
  read_labels(top, "labels", rules.labels, kLabelsMax / 2);
  read_numbers(top, "rate_limit", file_name,
               {{"alerts", &rules.limit_alerts, parse_count, 1, 1000},
                {"per", &rules.limit_per_s, parse_duration, 1, kDay}});
  read_numbers(top, "flapping", file_name,
               {{"changes", &rules.flap_changes, parse_count, 2, 50},
                {"within", &rules.flap_within_s, parse_duration, 1, kDay}});
  read_numbers(top, "before", file_name, {{"waiver", &rules.waiver_s, parse_duration, 0, kYear}});
  read_numbers(top, "after", file_name,
               {{"silence", &rules.silence_intervals, parse_count, 1, 1000},
                {"undelivered", &rules.undelivered_s, parse_duration, 60, kYear}});
  read_numbers(top, "above", file_name, {{"spool", &rules.spool_percent, parse_count, 1, 100}});
  top.number("give_up", rules.give_up_s, parse_duration, 60, kYear);
  top.paths("mappings", rules.mappings);
  const yaml::Node* channels = top.take("channels");
  const yaml::Node* list = top.take("rules");
  if (auto status = top.finish(); !status) return std::move(status).error();
  for (const auto& [node, key] : {std::pair{channels, "channels"}, std::pair{list, "rules"}}) {
    if (node == nullptr) {
      return yaml::error_at(file_name, *root, fmt::format("{}: missing", key));
    }
  }
  if (auto read = read_channels(*channels, file_name, rules); !read) return std::move(read).error();
  if (auto read = read_rules(*list, file_name, rules); !read) return std::move(read).error();
  return rules;
}

}  // namespace vouch::alerts
