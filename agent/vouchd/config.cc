// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "alerts/rules.h"
#include "core/file.h"
#include "core/yaml.h"
#include "core/yaml_section.h"
#include "proto/names.h"
#include "proto/schedule.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kHeartbeatSecondsMax = 86400;  // next_due is at most 24 h after sealing.
constexpr std::int64_t kDeadlineSecondsMax = 3600;
constexpr std::int64_t kSpoolBytesMin = std::int64_t{1} << 20;
constexpr int kPackFoldersMax = 3;  // One in the other, as the policy engine reads them.
constexpr std::size_t kPackFilesMax = 10'000;
constexpr std::size_t kWatchedPathsMax = 32;  // Of one collector.
constexpr std::size_t kTablesMax = 256;
constexpr std::int64_t kIntegerLimit = json::kIntegerMax;

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && json::is_valid_utf8(text) &&
         text.find_first_of(" \t\r\n/") == std::string_view::npos;
}

// A path as events name it: no "." or "..", no empty part, no slash at the end.
bool is_watchable(std::string_view path) {
  return path.size() > 1 && path.size() < 4096 && path[0] == '/' &&
         std::filesystem::path(path).lexically_normal().string() == path && !path.ends_with('/');
}

bool is_log_level(std::string_view text) {
  return text == "debug" || text == "info" || text == "warn" || text == "error";
}

bool is_file_destination(std::string_view text) {
  return text.starts_with("file:///") && text.size() > std::string_view("file:///").size();
}

Result<CollectorConfig> read_collector(const std::string& name, const yaml::Node& node,
                                       const std::string& collector_dir,
                                       std::string_view file_name) {
  CollectorConfig collector;
  collector.name = name;
  collector.program = collector_dir + "/" + name.substr(0, name.find('@'));
  if (node.kind == yaml::Node::Kind::null) return collector;  // "name:" alone: all defaults.

  YamlSection section(node, file_name, "a collector");
  section.path("program", collector.program);
  section.number("interval", collector.interval_s, parse_duration, 1, kIntervalSecondsMax);
  section.number("deadline", collector.deadline_s, parse_duration, 1, kDeadlineSecondsMax);
  if (const yaml::Node* anchor = section.take("anchor"); anchor != nullptr) {
    const auto second = parse_second(anchor->scalar);
    if (second) collector.anchor = *second;
    if (!second) section.fail(*anchor, "anchor: expected a time such as 2024-01-01T03:00:00Z");
  }
  if (const yaml::Node* options = section.take("options"); options != nullptr) {
    auto value = yaml::to_json(*options, file_name);
    if (!value) return std::move(value).error();
    if (value->if_object() == nullptr) section.fail(*options, "options: expected a mapping");
    collector.options = *std::move(value);
  }
  section.texts("tables", collector.tables, kTablesMax, is_plain_name, "names of its tables");
  section.texts("watch", collector.watch, kWatchedPathsMax, is_watchable, "absolute paths");
  if (auto status = section.finish(); !status) return std::move(status).error();
  return collector;
}

Status read_collectors(const yaml::Node& node, std::string_view file_name, Config& config) {
  if (node.kind != yaml::Node::Kind::mapping) {
    return yaml::error_at(file_name, node, "collectors: expected a mapping of names");
  }
  for (const auto& [key, value] : node.members) {
    if (!is_collector_name(key.scalar)) {
      return yaml::error_at(file_name, key,
                            fmt::format("\"{}\" is no collector name: expected a name such as "
                                        "access_review, or name@instance",
                                        key.scalar));
    }
    auto collector = read_collector(key.scalar, value, config.collector_dir, file_name);
    if (!collector) return std::move(collector).error();
    config.collectors.push_back(*std::move(collector));
  }
  std::sort(config.collectors.begin(), config.collectors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return Ok{};
}

}  // namespace

const CollectorConfig* Config::find(std::string_view collector) const {
  for (const auto& candidate : collectors) {
    if (candidate.name == collector) return &candidate;
  }
  return nullptr;
}

Result<Config> parse_config(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();

  Config config;
  YamlSection top(*root, file_name, "the configuration");
  top.path("state_dir", config.state_dir);
  top.path("runtime_dir", config.runtime_dir);
  top.text("host", config.host, is_host_name, "a host name");
  top.path("collector_dir", config.collector_dir);
  top.path("collect_sockets", config.collect_sockets);
  top.paths("packs", config.packs);
  top.path("waivers", config.waivers);
  top.path("registers", config.registers);
  top.text("destination", config.destination, is_file_destination,
           "file:///DIRECTORY (a store is set by `vouch enroll`)");
  top.path("alerts", config.alerts);
  top.text("log_level", config.log_level, is_log_level, "debug, info, warn or error");
  top.number("heartbeat", config.heartbeat_s, parse_duration, 10, kHeartbeatSecondsMax);
  top.number("splay", config.splay_s_max, parse_duration, 0, 86400);
  top.number("rotate_after", config.rotate_s, parse_duration, 60, 366 * std::int64_t{86400});
  top.number("rotate_bundles", config.rotate_bundles, parse_count, 1, 1'000'000);
  top.number("spool_max", config.spool_bytes_max, parse_size, kSpoolBytesMin, kIntegerLimit);
  top.number("kept_max", config.kept_bytes_max, parse_size, 0, kIntegerLimit);
  top.number("kept_for", config.kept_s, parse_duration, 0, 366 * std::int64_t{86400});
  top.number("watch_debounce", config.watch_debounce_ms, parse_milliseconds, 10, 60'000);
  top.number("watch_gap", config.watch_gap_s, parse_duration, 1, 3600);
  const yaml::Node* maintenance = top.take("maintenance");
  const yaml::Node* busy = top.take("busy");
  const yaml::Node* collectors = top.take("collectors");
  if (auto status = top.finish(); !status) return std::move(status).error();

  if (collectors == nullptr) {
    return yaml::error_at(file_name, *root, "collectors: missing; name at least one");
  }
  if (auto status = read_collectors(*collectors, file_name, config); !status) {
    return std::move(status).error();
  }
  if (config.collectors.empty()) {
    return yaml::error_at(file_name, *collectors, "collectors: name at least one");
  }
  if (maintenance != nullptr) {
    auto status = read_maintenance(*maintenance, file_name, config);
    if (!status) return std::move(status).error();
  }
  if (busy != nullptr) {
    auto status = read_busy(*busy, file_name, config.busy);
    if (!status) return std::move(status).error();
  }
  return config;
}

// A folder of packs is only as good as each file in it. Deeper ones are not read.
Status require_trusted_tree(const std::string& path, uid_t trusted_uid, int depth) {
  if (auto status = require_trusted_path(path, trusted_uid); !status) return status;
  std::error_code error;
  if (depth == 0 || !std::filesystem::is_directory(path, error)) return Ok{};
  auto names = list_directory(path, kPackFilesMax);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    if (name.starts_with(".")) continue;
    auto status = require_trusted_tree(path + "/" + name, trusted_uid, depth - 1);
    if (!status) return status;
  }
  return Ok{};
}

Status check_trust(const Config& config, uid_t trusted_uid) {
  std::vector<std::pair<std::string, std::string>> paths;  // Which key names it, and what.
  for (const auto& pack : config.packs) paths.emplace_back("packs", pack);
  if (!config.waivers.empty()) paths.emplace_back("waivers", config.waivers);
  if (!config.alerts.empty()) paths.emplace_back("alerts", config.alerts);
  if (!config.registers.empty()) paths.emplace_back("registers", config.registers);
  for (const auto& collector : config.collectors) {
    paths.emplace_back("collector " + collector.name, collector.program);
  }
  for (const auto& [key, path] : paths) {
    auto status = require_trusted_tree(path, trusted_uid,
                                       key == "packs"       ? kPackFoldersMax
                                       : key == "registers" ? 1
                                                            : 0);
    if (!status) return std::move(status).error().in(key);
  }
  return Ok{};
}

Result<Config> load_config(const std::string& path, uid_t trusted_uid) {
  if (auto status = require_trusted_path(path, trusted_uid); !status) {
    return std::move(status).error();
  }
  auto text = read_file(path, kConfigBytesMax);
  if (!text) return std::move(text).error();
  auto config = parse_config(*text, path);
  if (!config) return config;
  if (config->alerts.empty() && file_exists(std::string(kDefaultAlertRules))) {
    config->alerts = kDefaultAlertRules;
  }
  if (auto status = check_trust(*config, trusted_uid); !status) {
    auto error = std::move(status).error().in(path);
    // The file is there; what it names is not: then the file is wrong.
    if (error.code == Errc::not_found) error.code = Errc::invalid;
    return error;
  }
  if (config->alerts.empty()) return config;
  auto rules = read_file(config->alerts, alerts::kRulesBytesMax);
  if (!rules) return std::move(rules).error();
  config->alerts_text = *std::move(rules);
  if (auto parsed = alerts::parse_rules(config->alerts_text, config->alerts); !parsed) {
    return std::move(parsed).error();
  }
  return config;
}

}  // namespace vouch::agent
