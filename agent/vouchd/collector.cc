// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "agent/vouchd/runner.h"
#include "agent/vouchd/scheduler.h"
#include "core/file_digest.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kSettledNs = 2'000'000'000;

std::string without_instance(std::string_view name) {
  return std::string(name.substr(0, name.find('@')));
}

// By the digest of the executable, if `cache` has it.
Result<Manifest> describe_program(const CollectorConfig& config, const std::string& digest,
                                  Runner& runner, ManifestCache* cache) {
  if (cache != nullptr) {
    if (const auto text = cache->find(digest)) return parse_manifest(*text);
  }
  auto printed = runner.describe(config.name, config.program, "");
  if (!printed) return std::move(printed).error();
  std::string_view text = *printed;
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto manifest = parse_manifest(text);
  if (!manifest) return std::move(manifest).error().in(config.program + " --describe");
  if (cache != nullptr) cache->keep(digest, text);
  return manifest;
}

// Of a collector whose options declare tables: asked with these options, each time, since they may
// name a file.
Result<Manifest> describe_configured(const CollectorConfig& config, Runner& runner) {
  const json::Object input{{"options", config.options}, {"protocol", kCollectorProtocol}};
  auto printed = runner.describe(config.name, config.program, json::write(input) + "\n");
  if (!printed) return std::move(printed).error();
  std::string_view text = *printed;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto value = json::parse(text);
  if (const auto* refusal = value ? value->find("error") : nullptr; refusal != nullptr) {
    auto message = json::get_string(*refusal, "message");
    return Error{Errc::invalid, message ? *std::move(message) : "its options are refused"};
  }
  auto manifest = parse_manifest(text);
  if (!manifest) return std::move(manifest).error().in(config.program + " --describe");
  return manifest;
}

Result<Manifest> describe(const CollectorConfig& config, const std::string& digest, Runner& runner,
                          ManifestCache* cache) {
  auto manifest = describe_program(config, digest, runner, cache);
  if (!manifest || !manifest->has_configured_tables) return manifest;
  return describe_configured(config, runner);
}

// What is not asked for is as if the collector did not have it: no record says anything of it.
Status keep_only(const std::vector<std::string>& tables, Manifest& manifest) {
  if (tables.empty()) return Ok{};
  for (const std::string& name : tables) {
    if (manifest.find(name) != nullptr) continue;
    std::string known;
    for (const TableSchema& table : manifest.tables) known += " " + table.name;
    return Error{Errc::invalid, fmt::format("tables: it has no table {}; it has{}", name, known)};
  }
  std::erase_if(manifest.tables, [&](const TableSchema& table) {
    return std::find(tables.begin(), tables.end(), table.name) == tables.end();
  });
  return Ok{};
}

// Instances of one collector may have a table in common if it is the same table.
Status claim_tables(const Manifest& manifest, std::map<std::string, const Manifest*>& owners) {
  for (const TableSchema& table : manifest.tables) {
    const auto [owner, is_new] = owners.emplace(table.name, &manifest);
    if (is_new) continue;
    const Manifest& other = *owner->second;
    if (other.name != manifest.name) {
      return Error{Errc::invalid, fmt::format("collectors {} and {} both have a table {}",
                                              other.name, manifest.name, table.name)};
    }
    if (*other.find(table.name) != table) {
      return Error{Errc::invalid, fmt::format("two instances of collector {} declare table {} "
                                              "differently",
                                              manifest.name, table.name)};
    }
  }
  return Ok{};
}

Result<Collector> load_collector(const CollectorConfig& config, Runner& runner,
                                 ManifestCache* cache) {
  Collector collector;
  collector.name = config.name;
  collector.program = config.program;
  auto mark = file_mark(config.program);
  if (!mark) return std::move(mark).error();
  collector.mark = *mark;
  auto digest = known_digest(config.program, *mark, cache);
  if (!digest) return std::move(digest).error();
  collector.digest = *std::move(digest);
  auto manifest = describe(config, collector.digest, runner, cache);
  if (!manifest) return std::move(manifest).error();
  collector.manifest = *std::move(manifest);
  if (collector.manifest.name != without_instance(config.name)) {
    return Error{Errc::invalid,
                 fmt::format("{} says that it is {}", config.program, collector.manifest.name)};
  }
  if (auto kept = keep_only(config.tables, collector.manifest); !kept) {
    return std::move(kept).error();
  }
  collector.options = config.options;
  collector.interval_s = config.interval_s != 0 ? config.interval_s : collector.manifest.interval_s;
  collector.deadline_s = config.deadline_s != 0 ? config.deadline_s : collector.manifest.deadline_s;
  collector.anchor = config.anchor;
  return collector;
}

}  // namespace

Result<std::string> known_digest(const std::string& path, const FileMark& mark,
                                 ManifestCache* cache) {
  if (cache == nullptr) return file_digest(path);
  if (auto known = cache->find_digest(path, mark)) return *std::move(known);
  auto digest = file_digest(path);
  if (!digest) return digest;
  // Written in the very tick of the clock in which it was looked at, it may be written once more
  // and have the same mark.
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const std::int64_t age_ns =
      std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec - mark.changed_ns;
  if (age_ns > kSettledNs) cache->keep_digest(path, mark, *digest);
  return digest;
}

Result<std::vector<Collector>> load_collectors(const Config& config, Runner& runner,
                                               ManifestCache* cache) {
  std::vector<Collector> collectors;
  collectors.reserve(config.collectors.size());
  std::map<std::string, const Manifest*> owners;
  for (const CollectorConfig& wanted : config.collectors) {
    auto collector = load_collector(wanted, runner, cache);
    if (!collector) return std::move(collector).error().in("collector " + wanted.name);
    collectors.push_back(*std::move(collector));
    if (auto claimed = claim_tables(collectors.back().manifest, owners); !claimed) {
      return std::move(claimed).error();
    }
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
