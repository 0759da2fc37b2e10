// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/age_tables.h"

#include <memory>
#include <string>
#include <utility>

#include "collectors/facts/update_memory.h"
#include "collectors/rpm_packages/update_reading.h"
#include "core/digest.h"

namespace vouch::rpm_packages {
namespace {

using facts::StoredMemory;
using sdk::Context;
using sdk::Rows;

// The memory with what this run sees, written back if that changed it.
Result<StoredMemory> remember(Context& context) {
  if (context.cache_dir().empty()) {
    return Error{Errc::unsupported,
                 "no memory between runs: the collector was given no directory for it"};
  }
  const auto inputs = updates_token(context);
  if (!inputs) return inputs.error();
  const std::string token = inputs->empty() ? std::string() : sha256_hex(*inputs);
  const std::string path = facts::update_memory_path(context.cache_dir(), context.root());
  StoredMemory memory = facts::load_update_memory(path);
  if (!token.empty() && token == memory.updates.token) return memory;

  const auto& updates = updates_of(context);
  if (!updates) return updates.error();
  std::vector<facts::SeenUpdate> seen;
  for (const RpmUpdate& update : updates->found.updates) {
    seen.push_back({update.name, update.arch, update.installed_version, update.is_security});
  }
  const bool is_whole = updates->gaps.empty();
  const facts::UpdateMemory before = memory.updates;
  memory.updates.observe(seen, updates->installed, VersionScheme::rpm, context.now(), is_whole);
  // Gaps must be told again in the next run, so the metadata is read again.
  memory.updates.token = is_whole ? token : std::string();
  if (memory.updates == before) return memory;
  if (auto written = facts::store_update_memory(path, memory.updates); !written) {
    return std::move(written).error();
  }
  return memory;
}

const Result<StoredMemory>& memory_of(Context& context) {
  return *context.once([&] { return std::make_shared<Result<StoredMemory>>(remember(context)); });
}

// Gaps of the memory itself, and of the reading if this run made one.
void add_gaps(Context& context, const StoredMemory& memory, Rows& rows) {
  if (memory.lost) rows.gap("memory", *memory.lost);
  if (!memory.updates.token.empty()) return;
  const auto& updates = updates_of(context);
  if (!updates) return;
  for (const auto& [object, error] : updates->gaps) rows.gap(object, error);
}

Status collect_ages(Context& context, Rows& rows) {
  const auto& memory = memory_of(context);
  if (!memory) return memory.error();
  for (const facts::PendingUpdate& update : memory->updates.pending) {
    rows.add({update.name, update.arch, update.installed_version, update.pending_since,
              update.security_since});
  }
  add_gaps(context, *memory, rows);
  return Ok{};
}

Status collect_applied(Context& context, Rows& rows) {
  const auto& memory = memory_of(context);
  if (!memory) return memory.error();
  for (const facts::AppliedUpdate& entry : memory->updates.applied) {
    rows.add({entry.update.name, entry.update.arch, entry.update.installed_version, entry.applied,
              entry.new_version, entry.update.pending_since, entry.update.security_since});
  }
  add_gaps(context, *memory, rows);
  return Ok{};
}

}  // namespace

std::vector<sdk::Table> age_tables() {
  const auto since = sdk::time("pending_since", "First run that saw a newer version");
  const auto security = sdk::time("security_since", "First run that saw a security update")
                            .nullable("no security update");
  return {{.name = "rpm_update_ages",
           .title = "Since when each installed version has lacked an update, as this host saw it",
           .columns = {sdk::text("name", "Package").key(),
                       sdk::text("arch", "Architecture of the candidate").key(),
                       sdk::text("installed_version", "Installed version").key(), since, security},
           .collect = collect_ages},
          {.name = "applied_rpm_updates",
           .title = "Updates that were seen pending and were installed since",
           .columns = {sdk::text("name", "Package").key(), sdk::text("arch", "Architecture").key(),
                       sdk::text("old_version", "Version before").key(),
                       sdk::time("applied", "First run that saw the new version").key(),
                       sdk::text("new_version", "Version after"), since, security},
           .collect = collect_applied}};
}

}  // namespace vouch::rpm_packages
