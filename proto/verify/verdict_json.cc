// SPDX-License-Identifier: Apache-2.0
#include "core/encoding.h"
#include "proto/verify/verdict.h"

namespace vouch::verify {
namespace {

json::Value to_json(const Failure& failure) {
  return json::Object{
      {"reason", failure.reason}, {"where", failure.where}, {"detail", failure.detail}};
}

json::Value to_json(const Coverage& c) {
  return json::Object{{"from", format_instant(c.from)}, {"to", format_instant(c.to)},
                      {"expected", c.expected},         {"observed", c.observed},
                      {"run_failed", c.failed},         {"run_missed", c.missed},
                      {"run_suppressed", c.suppressed}, {"unexplained", c.unexplained},
                      {"reaches_end", c.reaches_end},   {"verdict", c.verdict()}};
}

json::Value to_json(const Judgements& j) {
  return json::Object{{"pass", j.pass},     {"fail", j.fail},
                      {"waived", j.waived}, {"claimed_waived", j.claimed_waived},
                      {"error", j.error},   {"not_applicable", j.not_applicable}};
}

json::Value to_json(const Host& host) {
  json::Object controls;
  for (const auto& [name, judgements] : host.controls) controls.emplace(name, to_json(judgements));
  json::Object object{{"agent", host.agent},
                      {"host", host.name},
                      {"bundles", host.bundles},
                      {"coverage", to_json(host.coverage)},
                      {"controls", std::move(controls)}};
  if (host.failure) object.emplace("failure", to_json(*host.failure));
  return object;
}

json::Value to_json(const checkpoint::Checkpoint& head) {
  return json::Object{
      {"origin", head.origin}, {"size", head.size}, {"root", base64_encode(head.root)}};
}

json::Value to_json(const Counts& c) {
  return json::Object{
      {"leaves", c.leaves},   {"bundles", c.bundles},       {"records", c.records},
      {"blobs", c.blobs},     {"blob_bytes", c.blob_bytes}, {"dropped", c.dropped},
      {"purged", c.purged},   {"withheld", c.withheld},     {"late", c.late},
      {"overdue", c.overdue}, {"anomalies", c.anomalies},   {"approved", c.approved},
      {"claimed", c.claimed}};
}

}  // namespace

json::Value to_json(const Verdict& verdict) {
  json::Array failures;
  for (const auto& failure : verdict.failures) failures.push_back(to_json(failure));
  json::Array hosts;
  for (const auto& host : verdict.hosts) hosts.push_back(to_json(host));
  json::Array anomalies;
  for (const auto& anomaly : verdict.anomalies) {
    anomalies.push_back(json::Object{{"where", anomaly.where}, {"what", anomaly.what}});
  }
  json::Object object{{"verdict", to_string(verdict.standing())},
                      {"mode", verdict.mode == Mode::full ? "full" : "selective"},
                      {"anchors_from_export", verdict.anchors_from_export},
                      {"logged", verdict.logged},
                      {"failures", std::move(failures)},
                      {"hosts", std::move(hosts)},
                      {"anomalies", std::move(anomalies)},
                      {"counts", to_json(verdict.counts)}};
  if (verdict.checkpoint) {
    object.emplace("checkpoint", to_json(*verdict.checkpoint));
  }
  json::Array earlier;
  for (const auto& end : verdict.earlier) earlier.push_back(to_json(end));
  object.emplace("earlier_logs", std::move(earlier));
  object.emplace("repinned", json::Array(verdict.repinned.begin(), verdict.repinned.end()));
  json::Array rollbacks;
  for (const auto& rollback : verdict.rollbacks) {
    rollbacks.push_back(json::Object{
        {"origin", rollback.origin}, {"end", rollback.end}, {"size_seen", rollback.size_seen}});
  }
  object.emplace("rollbacks", std::move(rollbacks));
  json::Array time_stamps;
  for (const auto& [where, size, stamp] : verdict.time_stamps) {
    time_stamps.push_back(json::Object{{"where", where},
                                       {"size", size},
                                       {"time", format_second(stamp.time)},
                                       {"authority", stamp.authority},
                                       {"valid_until", format_second(stamp.valid_until)}});
  }
  object.emplace("time_stamps", std::move(time_stamps));
  if (verdict.inventory) {
    const auto& inventory = *verdict.inventory;
    object.emplace("inventory", json::Object{{"source", inventory.source},
                                             {"sha256", inventory.sha256},
                                             {"hosts", inventory.hosts},
                                             {"at", format_instant(inventory.at)}});
  }
  object.emplace("not_checked",
                 json::Array(verdict.not_checked.begin(), verdict.not_checked.end()));
  if (verdict.replayed) {
    const auto& r = verdict.replays;
    object.emplace("replays", json::Object{{"same", r.same},
                                           {"different", r.different},
                                           {"engine_differs", r.engine_differs},
                                           {"not_replayable", r.not_replayable}});
  }
  return object;
}

}  // namespace vouch::verify
