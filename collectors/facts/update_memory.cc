// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/update_memory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/digest.h"
#include "core/file.h"
#include "core/json.h"

namespace vouch::facts {
namespace {

constexpr std::string_view kForm = "vouch-update-memory-1\n";
constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kMemoryBytesMax = std::size_t{16} << 20;

auto order(const PendingUpdate& update) {
  return std::tie(update.name, update.arch, update.installed_version);
}

json::Object to_json(const PendingUpdate& update) {
  json::Object object{{"name", update.name},
                      {"arch", update.arch},
                      {"installed", update.installed_version},
                      {"pending", update.pending_since}};
  if (update.security_since) object["security"] = *update.security_since;
  return object;
}

Result<PendingUpdate> from_json(const json::Value& value) {
  PendingUpdate update;
  const auto name = json::get_string(value, "name");
  const auto arch = json::get_string(value, "arch");
  const auto installed = json::get_string(value, "installed");
  const auto pending = json::get_integer(value, "pending");
  if (!name || !arch || !installed || !pending) return Error{Errc::corrupt, "a member is missing"};
  update = {*name, *arch, *installed, *pending, {}};
  if (const auto security = json::get_integer(value, "security")) update.security_since = *security;
  return update;
}

}  // namespace

void UpdateMemory::observe(const std::vector<SeenUpdate>& updates,
                           const InstalledVersions& installed, VersionScheme scheme,
                           WallSeconds now, bool is_whole) {
  std::vector<PendingUpdate> before = std::exchange(pending, {});
  std::vector<bool> found(before.size(), false);
  for (const SeenUpdate& update : updates) {
    PendingUpdate entry{update.name, update.arch, update.installed_version, now, {}};
    const auto known = std::lower_bound(
        before.begin(), before.end(), entry,
        [](const PendingUpdate& a, const PendingUpdate& b) { return order(a) < order(b); });
    if (known != before.end() && order(*known) == order(entry)) {
      entry = *known;
      found[static_cast<std::size_t>(known - before.begin())] = true;
      // A clock that was ahead when the update was first seen must not make it younger.
      entry.pending_since = std::min(entry.pending_since, now);
    }
    if (update.is_security && !entry.security_since) entry.security_since = now;
    if (entry.security_since) entry.security_since = std::min(*entry.security_since, now);
    pending.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (found[i]) continue;
    PendingUpdate& gone = before[i];
    const auto version = installed.find({gone.name, gone.arch});
    if (version == installed.end()) continue;  // The package was removed.
    if (version_compare(scheme, version->second, gone.installed_version) > 0) {
      std::string new_version = version->second;
      applied.push_back({std::move(gone), std::move(new_version), now});
    } else if (!is_whole && version->second == gone.installed_version) {
      pending.push_back(std::move(gone));
    }
  }
  std::sort(pending.begin(), pending.end(),
            [](const PendingUpdate& a, const PendingUpdate& b) { return order(a) < order(b); });
  std::erase_if(applied,
                [&](const AppliedUpdate& old) { return now - old.applied > kAppliedAgeMax; });
  if (applied.size() > kAppliedMax) {
    applied.erase(applied.begin(), applied.end() - static_cast<std::ptrdiff_t>(kAppliedMax));
  }
}

std::string UpdateMemory::serialize() const {
  json::Array pending_values;
  for (const PendingUpdate& update : pending) pending_values.emplace_back(to_json(update));
  json::Array applied_values;
  for (const AppliedUpdate& entry : applied) {
    json::Object object = to_json(entry.update);
    object["new"] = entry.new_version;
    object["applied"] = entry.applied;
    applied_values.emplace_back(std::move(object));
  }
  const std::string body = json::write(json::Object{{"token", token},
                                                    {"pending", std::move(pending_values)},
                                                    {"applied", std::move(applied_values)}});
  return std::string(kForm) + sha256_hex(body) + '\n' + body;
}

Result<UpdateMemory> UpdateMemory::parse(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "the memory of earlier runs is damaged"};
  if (!bytes.starts_with(kForm)) return corrupt;
  bytes.remove_prefix(kForm.size());
  if (bytes.size() <= kDigestBytes) return corrupt;
  const auto body = bytes.substr(kDigestBytes + 1);
  if (bytes.substr(0, kDigestBytes) != sha256_hex(body)) return corrupt;
  const auto value = json::parse(body);
  if (!value) return corrupt;
  UpdateMemory memory;
  const auto token = json::get_string(*value, "token");
  const auto pending_values = json::get_array(*value, "pending");
  const auto applied_values = json::get_array(*value, "applied");
  if (!token || !pending_values || !applied_values) return corrupt;
  memory.token = *token;
  for (const json::Value& item : **pending_values) {
    auto update = from_json(item);
    if (!update) return corrupt;
    memory.pending.push_back(*std::move(update));
  }
  for (const json::Value& item : **applied_values) {
    auto update = from_json(item);
    const auto new_version = json::get_string(item, "new");
    const auto applied_at = json::get_integer(item, "applied");
    if (!update || !new_version || !applied_at) return corrupt;
    memory.applied.push_back({*std::move(update), *new_version, *applied_at});
  }
  return memory;
}

std::string update_memory_path(const std::string& cache_dir, const Root& root) {
  std::string path = cache_dir + "/updates";
  if (!root.is_host()) path += '-' + sha256_hex(root.path()).substr(0, 16);
  return path;
}

StoredMemory load_update_memory(const std::string& path) {
  const auto bytes = read_file(path, kMemoryBytesMax);
  if (!bytes) {
    if (bytes.error().code == Errc::not_found) return {};
    return {{}, bytes.error()};
  }
  auto memory = UpdateMemory::parse(*bytes);
  if (!memory) return {{}, memory.error()};
  return {*std::move(memory), {}};
}

Status store_update_memory(const std::string& path, const UpdateMemory& memory) {
  auto written = write_file_durable(path, memory.serialize(), 0600);
  if (!written) return std::move(written).error().in("remember the updates");
  return written;
}

}  // namespace vouch::facts
