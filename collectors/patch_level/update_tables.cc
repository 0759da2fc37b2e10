// SPDX-License-Identifier: Apache-2.0
// The tables on pending updates and on where installed packages come from.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/facts/update_memory.h"
#include "collectors/patch_level/apt_reading.h"
#include "collectors/patch_level/seen_updates.h"
#include "collectors/patch_level/tables.h"
#include "core/digest.h"

namespace vouch::patch_level {
namespace {

using facts::AppliedUpdate;
using facts::PendingUpdate;
using Memory = facts::StoredMemory;

// The memory with what this run sees, written back if that changed it.
Result<Memory> remember(sdk::Context& context) {
  if (context.cache_dir().empty()) {
    return Error{Errc::unsupported,
                 "no memory between runs: the collector was given no directory for it"};
  }
  const std::string path = facts::update_memory_path(context.cache_dir(), context.root());
  Memory memory = facts::load_update_memory(path);
  const std::string inputs = reading_token(context);
  const std::string token = inputs.empty() ? std::string() : sha256_hex(inputs);
  if (!token.empty() && token == memory.updates.token) return memory;

  const auto& reading = reading_of(context);
  if (!reading) return reading.error();
  const facts::UpdateMemory before = memory.updates;
  const AptReading& read = **reading;
  observe(memory.updates, read.report.updates, read.status, context.now(), read.is_whole());
  // Gaps must be told again in the next run, so the lists are read again.
  memory.updates.token = read.is_whole() ? token : std::string();
  if (memory.updates == before) return memory;
  if (auto written = facts::store_update_memory(path, memory.updates); !written) {
    return std::move(written).error();
  }
  return memory;
}

using SharedMemory = Result<std::shared_ptr<const Memory>>;

const SharedMemory& memory_of(sdk::Context& context) {
  return context.once([&]() -> SharedMemory {
    auto memory = remember(context);
    if (!memory) return std::move(memory).error();
    return std::make_shared<const Memory>(*std::move(memory));
  });
}

// Gaps of the memory itself, and of the reading if this run made one.
void add_memory_gaps(sdk::Context& context, const Memory& memory, sdk::Rows& rows) {
  if (memory.lost) rows.gap("memory", *memory.lost);
  if (!memory.updates.token.empty()) return;
  if (const auto& reading = reading_of(context)) add_gaps(**reading, rows);
}

bool is_unchanged(const sdk::Context& context, sdk::Rows& rows) {
  const auto token = reading_token(context);
  return !token.empty() && rows.unchanged(token);
}

}  // namespace

Status collect_package_updates(sdk::Context& context, sdk::Rows& rows) {
  if (is_unchanged(context, rows)) return Ok{};
  const auto& reading = reading_of(context);
  if (!reading) return reading.error();
  for (const PackageUpdate& update : (*reading)->report.updates) {
    rows.add({update.package->name, update.package->arch, update.package->version,
              update.candidate_version, update.origin, update.suite, update.security,
              update.package->held, update.phased_percent});
  }
  add_gaps(**reading, rows);
  return Ok{};
}

Status collect_withheld_updates(sdk::Context& context, sdk::Rows& rows) {
  if (is_unchanged(context, rows)) return Ok{};
  const auto& reading = reading_of(context);
  if (!reading) return reading.error();
  for (const WithheldUpdate& update : (*reading)->report.withheld) {
    rows.add({update.package->name, update.package->arch, update.package->version, update.version,
              update.origin, update.suite, update.security});
  }
  add_gaps(**reading, rows);
  return Ok{};
}

Status collect_package_origins(sdk::Context& context, sdk::Rows& rows) {
  if (is_unchanged(context, rows)) return Ok{};
  const auto& reading = reading_of(context);
  if (!reading) return reading.error();
  for (const PackageOrigin& origin : (*reading)->report.origins) {
    rows.add({origin.package->name, origin.package->arch, origin.package->version, origin.is_listed,
              origin.origin, origin.suite, origin.component, origin.newest_listed});
  }
  add_gaps(**reading, rows);
  return Ok{};
}

Status collect_update_ages(sdk::Context& context, sdk::Rows& rows) {
  const auto& memory = memory_of(context);
  if (!memory) return memory.error();
  for (const PendingUpdate& update : (*memory)->updates.pending) {
    rows.add({update.name, update.arch, update.installed_version, update.pending_since,
              update.security_since});
  }
  add_memory_gaps(context, **memory, rows);
  return Ok{};
}

Status collect_applied_updates(sdk::Context& context, sdk::Rows& rows) {
  const auto& memory = memory_of(context);
  if (!memory) return memory.error();
  for (const AppliedUpdate& entry : (*memory)->updates.applied) {
    rows.add({entry.update.name, entry.update.arch, entry.update.installed_version, entry.applied,
              entry.new_version, entry.update.pending_since, entry.update.security_since});
  }
  add_memory_gaps(context, **memory, rows);
  return Ok{};
}

}  // namespace vouch::patch_level
