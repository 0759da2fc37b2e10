// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/collector.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/vouchd/runner.h"
#include "agent/vouchd/scheduler.h"
#include "core/file_digest.h"

namespace vouch::agent {
namespace {

std::string without_instance(std::string_view name) {
  return std::string(name.substr(0, name.find('@')));
}

// By the digest of the executable, if `cache` has it.
Result<Manifest> describe(const CollectorConfig& config, const std::string& digest, Runner& runner,
                          ManifestCache* cache) {
  if (cache != nullptr) {
    if (const auto text = cache->find(digest)) return parse_manifest(*text);
  }
  auto printed = runner.describe(config.name, config.program);
  if (!printed) return std::move(printed).error();
  std::string_view text = *printed;
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto manifest = parse_manifest(text);
  if (!manifest) return std::move(manifest).error().in(config.program + " --describe");
  if (cache != nullptr) cache->keep(digest, text);
  return manifest;
}

Result<Collector> load_collector(const CollectorConfig& config, Runner& runner,
                                 ManifestCache* cache) {
  Collector collector;
  collector.name = config.name;
  collector.program = config.program;
  auto digest = file_digest(config.program);
  if (!digest) return std::move(digest).error();
  collector.digest = *std::move(digest);
  auto manifest = describe(config, collector.digest, runner, cache);
  if (!manifest) return std::move(manifest).error();
  collector.manifest = *std::move(manifest);
  if (collector.manifest.name != without_instance(config.name)) {
    return Error{Errc::invalid,
                 fmt::format("{} says that it is {}", config.program, collector.manifest.name)};
  }
  collector.options = config.options;
  collector.interval_s = config.interval_s != 0 ? config.interval_s : collector.manifest.interval_s;
  collector.deadline_s = config.deadline_s != 0 ? config.deadline_s : collector.manifest.deadline_s;
  collector.anchor = config.anchor;
  return collector;
}

}  // namespace

Result<std::vector<Collector>> load_collectors(const Config& config, Runner& runner,
                                               ManifestCache* cache) {
  std::vector<Collector> collectors;
  std::map<std::string, std::string> owner_of_table;
  for (const CollectorConfig& wanted : config.collectors) {
    auto collector = load_collector(wanted, runner, cache);
    if (!collector) return std::move(collector).error().in("collector " + wanted.name);
    for (const TableSchema& table : collector->manifest.tables) {
      const auto [owner, is_new] = owner_of_table.emplace(table.name, collector->manifest.name);
      if (!is_new && owner->second != collector->manifest.name) {
        return Error{Errc::invalid,
                     fmt::format("collectors {} and {} both have a table {}", owner->second,
                                 collector->manifest.name, table.name)};
      }
    }
    collectors.push_back(*std::move(collector));
  }
  return collectors;
}

std::vector<ScheduleEntry> make_schedule(const std::vector<Collector>& collectors,
                                         std::string_view agent_id, std::int64_t splay_s_max) {
  std::vector<ScheduleEntry> schedule;
  for (const Collector& collector : collectors) {
    const std::int64_t splay_max = std::min(splay_s_max, collector.interval_s / 2);
    const WallSeconds anchor =
        collector.anchor.value_or(kAnchorBase) + splay_of(agent_id, collector.name, splay_max);
    schedule.push_back({collector.name, anchor, collector.interval_s, collector.deadline_s});
  }
  return schedule;
}

}  // namespace vouch::agent
