// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/collector.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "agent/vouchd/scheduler.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/process.h"

namespace vouch::agent {
namespace {

constexpr std::chrono::seconds kDescribeDeadline{10};
constexpr std::size_t kManifestBytesMax = 1u << 20;

std::string without_instance(std::string_view name) {
  return std::string(name.substr(0, name.find('@')));
}

Result<Collector> load_collector(const CollectorConfig& config, ManifestCache* cache) {
  Collector collector;
  collector.name = config.name;
  collector.program = config.program;
  auto digest = file_digest(config.program);
  if (!digest) return std::move(digest).error();
  collector.digest = *std::move(digest);
  auto manifest = describe(config.program, collector.digest, cache);
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

Result<std::string> file_digest(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return errno_error("open " + path, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return errno_error("stat " + path, errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + ": not a regular file"};
  Sha256 hash;
  std::vector<char> buffer(64u << 10);
  std::size_t total = 0;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read " + path, errno);
    if (got == 0) return hash.finish_hex();
    total += static_cast<std::size_t>(got);
    if (total > kExecutableBytesMax) return Error{Errc::too_large, path + ": over 256 MiB"};
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

Result<Manifest> describe(const std::string& program, const std::string& digest,
                          ManifestCache* cache) {
  if (cache != nullptr) {
    if (const auto text = cache->find(digest)) return parse_manifest(*text);
  }
  Command command;
  command.argv = {program, "--describe"};
  command.environment = default_environment();
  command.deadline = kDescribeDeadline;
  command.output_bytes_max = kManifestBytesMax;
  auto exit = run_process(command);
  if (!exit) return std::move(exit).error();
  if (exit->how != Exit::How::exited || exit->code != 0) {
    return Error{Errc::tool_failed, program + " --describe failed: is it a collector?"};
  }
  std::string_view text = exit->standard_output;
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto manifest = parse_manifest(text);
  if (!manifest) return std::move(manifest).error().in(program + " --describe");
  if (cache != nullptr) cache->keep(digest, text);
  return manifest;
}

Result<std::vector<Collector>> load_collectors(const Config& config, ManifestCache* cache) {
  std::vector<Collector> collectors;
  std::map<std::string, std::string> owner_of_table;
  for (const CollectorConfig& wanted : config.collectors) {
    auto collector = load_collector(wanted, cache);
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
