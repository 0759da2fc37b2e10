// SPDX-License-Identifier: Apache-2.0
// A configured collector: its executable, its manifest, its options. `--describe` is asked once per
// executable: manifests are kept by the digest of the file.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/config.h"
#include "core/file_digest.h"
#include "core/result.h"
#include "proto/manifest.h"
#include "proto/schedule.h"

namespace vouch::agent {

class Runner;

struct Collector {
  std::string name;  // With its instance: "backup_jobs@nas".
  std::string program;
  std::string digest;  // Of the executable.
  FileMark mark;       // Of the executable, when the digest was taken.
  Manifest manifest;
  json::Value options = json::Object{};
  std::int64_t interval_s = 0;
  std::int64_t deadline_s = 0;
  std::optional<WallSeconds> anchor;
};

// A place where manifests, by the digest of their executable, and the digests of executables wait
// between starts of the agent.
class ManifestCache {
 public:
  virtual ~ManifestCache() = default;
  virtual std::optional<std::string> find(std::string_view digest) = 0;
  virtual void keep(std::string_view digest, std::string_view manifest) = 0;
  virtual std::optional<std::string> find_digest(const std::string& path, const FileMark& mark) = 0;
  virtual void keep_digest(const std::string& path, const FileMark& mark,
                           std::string_view digest) = 0;
};

// file_digest(), but the file is not read if `cache` (may be null) knows it by its mark.
Result<std::string> known_digest(const std::string& path, const FileMark& mark,
                                 ManifestCache* cache);

// The configured collectors with their manifests, in the order of the configuration. Fails, naming
// the collector, if one cannot be described, is not the collector it is configured as, or if two
// collectors that are no instances of each other declare one table.
// A manifest is asked of `runner` unless `cache` (may be null) has it by the executable's digest.
Result<std::vector<Collector>> load_collectors(const Config& config, Runner& runner,
                                               ManifestCache* cache);

// Tick 0 of each is due at its anchor, plus this agent's splay (at most half the interval).
std::vector<ScheduleEntry> make_schedule(const std::vector<Collector>& collectors,
                                         std::string_view agent_id, std::int64_t splay_s_max);

}  // namespace vouch::agent
