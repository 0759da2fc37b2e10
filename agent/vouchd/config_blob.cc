// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/config_blob.h"

#include "core/digest.h"
#include "core/json.h"
#include "core/redact.h"

namespace vouch::agent {
namespace {

// The redaction of command lines knows which names stand for secrets: ask it about "--name=x".
bool names_secret(const std::string& name) {
  return redact(Redaction::command, "x --" + name + "=x").ends_with(kRedacted);
}

json::Value without_secrets(const json::Value& value) {
  if (const auto* text = value.if_string()) return redact(Redaction::url, *text);
  if (const auto* array = value.if_array()) {
    json::Array out;
    for (const json::Value& item : *array) out.push_back(without_secrets(item));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::Object out;
  for (const auto& [name, member] : *object) {
    out[name] = names_secret(name) ? json::Value(kRedacted) : without_secrets(member);
  }
  return out;
}

}  // namespace

std::string write_config_blob(const Config& config, const std::vector<Collector>& collectors,
                              const std::vector<ScheduleEntry>& schedule) {
  json::Array entries;
  for (const ScheduleEntry& entry : schedule) entries.push_back(to_json(entry));
  json::Object described;
  for (const Collector& collector : collectors) {
    described[collector.name] = json::Object{{"program", collector.program},
                                             {"options", without_secrets(collector.options)}};
    const CollectorConfig* configured = config.find(collector.name);
    if (configured == nullptr) continue;
    json::Object& of_collector = *described[collector.name].if_object();
    for (const auto& [key, texts] :
         {std::pair{"tables", &configured->tables}, std::pair{"watch", &configured->watch}}) {
      if (!texts->empty()) of_collector[key] = json::Array(texts->begin(), texts->end());
    }
  }
  json::Array packs;
  for (const std::string& path : config.packs) packs.push_back(path);
  json::Object blob{{"schedule", std::move(entries)},
                    {"collectors", std::move(described)},
                    {"packs", std::move(packs)},
                    {"heartbeat_s", config.heartbeat_s},
                    {"rotate_after_s", config.rotate_s},
                    {"rotate_bundles", config.rotate_bundles},
                    {"spool_max", config.spool_bytes_max},
                    {"kept_max", config.kept_bytes_max},
                    {"kept_for_s", config.kept_s},
                    {"watch_debounce_ms", config.watch_debounce_ms},
                    {"watch_gap_s", config.watch_gap_s},
                    {"busy", json::Object{{"delay_max_s", config.busy.delay_s_max},
                                          {"pressure", config.busy.pressure},
                                          {"load", config.busy.load}}}};
  if (!config.maintenance.empty()) blob["maintenance"] = to_json(config.maintenance);
  if (!config.waivers.empty()) blob["waivers"] = config.waivers;
  if (!config.registers.empty()) blob["registers"] = config.registers;
  if (!config.destination.empty()) blob["destination"] = redact(Redaction::url, config.destination);
  // Who is told is no evidence; that it was changed is.
  if (!config.alerts.empty()) blob["alerts"] = sha256_hex(config.alerts_text);
  return json::write(blob);
}

}  // namespace vouch::agent
