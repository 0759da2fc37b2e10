// SPDX-License-Identifier: Apache-2.0
// The agent's configuration file (docs/configuration.md): read strictly, so that a typing error is
// found at start and not in an audit. Every error is "<file>:<line>:<column>: <what is wrong>".
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/host_load.h"
#include "agent/vouchd/maintenance.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::yaml {
struct Node;
}

namespace vouch::agent {

inline constexpr std::size_t kConfigBytesMax = 1u << 20;
inline constexpr std::string_view kDefaultAlertRules = "/etc/vouch/alerts.yaml";  // If it is there.
inline constexpr int kExitConfig = 78;  // sysexits(3): EX_CONFIG.

struct CollectorConfig {
  std::string name;                   // "access_review", or an instance: "backup_jobs@nas".
  std::string program;                // Absolute path of the executable.
  std::int64_t interval_s = 0;        // 0: as its manifest says.
  std::int64_t deadline_s = 0;        // 0: as its manifest says.
  std::optional<WallSeconds> anchor;  // When tick 0 was due, before the splay.
  json::Value options = json::Object{};
  std::vector<std::string> tables;  // The only ones that are asked for; none: all.
  std::vector<std::string> watch;   // A change of one of these paths is a run at once.
};

struct Config {
  std::string state_dir = "/var/lib/vouch";
  std::string runtime_dir = "/run/vouch";  // receipts/ and the control socket.
  std::string host;                        // The name in bundles; empty: gethostname(2).
  std::string collector_dir = "/usr/libexec/vouch/collectors";
  std::string collect_sockets;  // Directory of vouch-collect's sockets; empty: no other process.
  std::vector<std::string> packs{"/usr/share/vouch/policies/packs"};  // Files and directories.
  std::string waivers;                                                // A file; empty: none.
  std::string registers;                                              // A directory; empty: none.
  std::string destination;  // "file:///DIR"; empty: the store.
  std::string alerts;       // The rule file of alerts; empty: nobody is alerted.
  std::string alerts_text;  // What is in it; load_config() reads it.
  std::string log_level = "info";
  std::int64_t heartbeat_s = 3600;
  std::int64_t splay_s_max = 60;  // Ticks of a host lag behind the schedule by up to this much.
  std::int64_t rotate_s = 86400;
  std::int64_t rotate_bundles = 256;
  std::int64_t spool_bytes_max = std::int64_t{1} << 30;
  std::int64_t kept_bytes_max = std::int64_t{256} << 20;
  std::int64_t kept_s = 7 * 86400;
  std::vector<Window> maintenance;
  BusyLimits busy;
  std::int64_t watch_debounce_ms = 500;     // Paths that change together are one run.
  std::int64_t watch_gap_s = 10;            // Between two such runs of one collector.
  std::vector<CollectorConfig> collectors;  // Sorted by name.

  [[nodiscard]] const CollectorConfig* find(std::string_view collector) const;
  [[nodiscard]] std::string outbox_dir() const { return state_dir + "/outbox"; }
  [[nodiscard]] std::string receipts_dir() const { return runtime_dir + "/receipts"; }
  [[nodiscard]] std::string control_socket() const { return runtime_dir + "/control.sock"; }
  [[nodiscard]] std::string metrics_file() const { return runtime_dir + "/metrics.prom"; }
};

// Unknown keys, wrong types and values out of bounds are refused, saying what is allowed.
Result<Config> parse_config(std::string_view text, std::string_view file_name);

// The sections that say when (config_schedule.cc). `config.collectors` are read before.
Status read_maintenance(const yaml::Node& node, std::string_view file_name, Config& config);
Status read_busy(const yaml::Node& node, std::string_view file_name, BusyLimits& busy);
// "500ms", "2s": in milliseconds.
Result<std::int64_t> parse_milliseconds(std::string_view text);

// Reads and parses. The file, and the packs, waivers and collectors that it names, must not be
// writable by anyone but root and `trusted_uid` (Errc::denied).
Result<Config> load_config(const std::string& path, uid_t trusted_uid);
Status check_trust(const Config& config, uid_t trusted_uid);

}  // namespace vouch::agent
