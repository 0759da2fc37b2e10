// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/pgbackrest.h"

#include <map>
#include <utility>

#include "collectors/facts/lines.h"
#include "core/json.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;
constexpr std::string_view kOldConfig = "/etc/pgbackrest.conf";
constexpr std::string_view kNewConfig = "/etc/pgbackrest/pgbackrest.conf";
constexpr int kRepositoriesMax = 8;

using Settings = std::map<std::string, std::string, std::less<>>;

// Those of [global] under those of the stanza.
Settings settings_of(std::string_view text, std::string_view stanza) {
  Settings global;
  Settings own;
  Settings* section = nullptr;
  facts::each_line(text, [&](std::string_view line, int) {
    if (line.starts_with('[')) {
      const auto name = line.substr(1, line.find(']') - 1);
      section = name == "global" ? &global : name == stanza ? &own : nullptr;
    } else if (const auto equals = line.find('='); equals != line.npos && section != nullptr) {
      (*section)[std::string(facts::trim(line.substr(0, equals)))] =
          facts::trim(line.substr(equals + 1));
    }
  });
  own.merge(global);
  return own;
}

std::string get(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

void add_repository(const Settings& settings, int number, RepositoryPlace& place) {
  const std::string prefix = "repo" + std::to_string(number) + '-';
  const std::string path = get(settings, prefix + "path");
  std::string type = get(settings, prefix + "type");
  const std::string host = get(settings, prefix + "host");
  const bool is_used = number == 1 || !path.empty() || !type.empty() || !host.empty();
  if (!is_used) return;
  if (type.empty()) type = "posix";
  const std::string real_path = path.empty() ? "/var/lib/pgbackrest" : path;
  const std::string bucket = get(settings, prefix + "s3-bucket") +
                             get(settings, prefix + "azure-container") +
                             get(settings, prefix + "gcs-bucket");
  const bool is_local = host.empty() && (type == "posix" || type == "cifs");
  std::string address = is_local       ? real_path
                        : host.empty() ? type + ':' + bucket + real_path
                                       : host + ':' + real_path;
  place.address += (place.address.empty() ? "" : ",") + address;
  if (is_local && !place.path) place.path = real_path;
  place.is_remote = place.is_remote || !is_local;
  const bool is_encrypted = !get(settings, prefix + "cipher-type").empty() &&
                            get(settings, prefix + "cipher-type") != "none";
  place.encrypted = place.encrypted.value_or(true) && is_encrypted;
}

}  // namespace

std::string config_path(const Root& root, const Job& job) {
  if (job.config == kOldConfig && !root.exists(kOldConfig)) return std::string(kNewConfig);
  return job.config;
}

void read_pgbackrest_config(std::string_view text, std::string_view stanza,
                            RepositoryPlace& place) {
  const Settings settings = settings_of(text, stanza);
  for (int number = 1; number <= kRepositoriesMax; ++number) {
    add_repository(settings, number, place);
  }
  for (int number = 1; number <= kRepositoriesMax; ++number) {
    if (auto path = get(settings, "pg" + std::to_string(number) + "-path"); !path.empty())
      place.paths.push_back(std::move(path));
  }
  const std::string log = get(settings, "log-path");
  place.log_path =
      (log.empty() ? "/var/log/pgbackrest" : log) + "/" + std::string(stanza) + "-backup.log";
}

RepositoryPlace pgbackrest_place(const Root& root, const Job& job) {
  RepositoryPlace place;
  const std::string path = config_path(root, job);
  const auto text = root.read(path, kConfigBytesMax);
  if (!text) {
    place.problem = text.error();
    return place;
  }
  read_pgbackrest_config(*text, job.stanza, place);
  // Passphrases and keys of object stores stand in it.
  for (const std::string_view secret : {"cipher-pass", "-key", "-token", "-sas"}) {
    if (text->find(secret) != std::string::npos) place.credentials_file = path;
  }
  return place;
}

Result<RepositoryState> parse_pgbackrest_info(std::string_view json_text) {
  const auto value = json::parse_foreign(json_text);
  if (!value) return Error(value.error()).in("pgbackrest's answer");
  const json::Array* stanzas = value->if_array();
  if (stanzas == nullptr || stanzas->size() != 1)
    return Error{Errc::invalid, "pgbackrest's answer: not the one stanza"};
  const json::Value& stanza = stanzas->front();
  const auto status = json::get_object(stanza, "status");
  const auto backups = json::get_array(stanza, "backup");
  if (!status || !backups) return Error{Errc::invalid, "pgbackrest's answer: a member is missing"};
  constexpr std::int64_t kNoBackup = 2;
  const auto code = json::get_integer(**status, "code");
  if (!code || (*code != 0 && *code != kNoBackup)) {
    return Error{Errc::not_found,
                 "pgbackrest says: " + json::get_string(**status, "message").value_or("no status")};
  }
  RepositoryState state;
  const auto cipher = json::get_string(stanza, "cipher");
  if (cipher) state.encrypted = *cipher != "none";
  for (const json::Value& backup : **backups) {
    const auto label = json::get_string(backup, "label");
    const auto times = json::get_object(backup, "timestamp");
    const auto stop = times ? json::get_integer(**times, "stop") : times.error();
    if (!label || !stop) return Error{Errc::invalid, "pgbackrest's answer: a backup without time"};
    Snapshot snapshot;
    snapshot.id = *label;
    snapshot.time = *stop;
    snapshot.tags = {json::get_string(backup, "type").value_or("")};
    if (const json::Value* info = backup.find("info")) {
      if (const auto size = json::get_integer(*info, "size")) snapshot.bytes = *size;
    }
    state.snapshots.push_back(std::move(snapshot));
    if (json::get_bool(backup, "error").value_or(false)) {
      state.trouble = Error{Errc::corrupt, "backup " + *label + " has pages with wrong checksums"};
    }
  }
  return state;
}

Result<std::string> pgbackrest_damage(std::string_view text) {
  bool has_status = false;
  std::string damage;
  facts::each_line(text, [&](std::string_view line, int) {
    if (line == "status: ok") has_status = true;
    if (!line.starts_with("status: error")) {
      const bool is_bad = line.starts_with("backup: ") && line.find("status: valid") == line.npos;
      if (is_bad && damage.empty()) damage = line;
      return;
    }
    has_status = true;
    if (damage.empty()) damage = line;
  });
  if (!has_status) return Error{Errc::invalid, "pgbackrest verify printed no status"};
  return damage;
}

}  // namespace vouch::backup_jobs
