// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/verdict.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "core/text_table.h"

namespace vouch::verify {
namespace {

constexpr std::size_t kTimeStampsShownMax = 5;

std::string line_of(const Failure& failure) {
  // Names of files and words of hosts are theirs to choose.
  return fmt::format("FAILED {} {}: {}\n", failure.reason, printable(failure.where),
                     printable(failure.detail));
}

std::string_view name_of(const Host& host) {
  return host.name.empty() ? host.agent : host.name;
}

std::string line_of(const Host& host) {
  const auto& c = host.coverage;
  const auto day = [](WallMs ms) { return format_instant(ms).substr(0, 16) + "Z"; };
  return fmt::format("{}  {}…{}  {} = {} + {} + {} + {} + {}  {}\n", printable(name_of(host)),
                     day(c.from), day(c.to), c.expected, c.observed, c.failed, c.missed,
                     c.suppressed, c.unexplained, c.verdict());
}

std::string_view what_holds(const Verdict& verdict) {
  if (verdict.mode == Mode::full) {
    return verdict.earlier.empty() ? "the whole log" : "the whole of each log";
  }
  return verdict.logged ? "one bundle, with its receipt"
                        : "one bundle, NOT SHOWN TO BE IN A LOG (no receipt)";
}

std::string headline(const Verdict& verdict) {
  const auto standing = verdict.standing();
  if (standing == Standing::failed) {
    const auto failed = verdict.failures.size() +
                        static_cast<std::size_t>(std::ranges::count_if(
                            verdict.hosts, [](const Host& h) { return h.failure.has_value(); }));
    return fmt::format("FAILED in {} place{}\n", failed, failed == 1 ? "" : "s");
  }
  auto text = fmt::format("VERIFIED {}", what_holds(verdict));
  if (standing == Standing::engine_differs) {
    text +=
        fmt::format(", NOT REPLAYED UNDER THE SAME ENGINE: {} of {} runs give other outcomes here",
                    verdict.replays.engine_differs, verdict.replays.replayed());
  }
  return text + "\n";
}

// The newest few: one token dates all that lies below it.
std::string time_stamps_text(const std::vector<StampedCheckpoint>& stamps) {
  std::string text;
  const auto hidden = stamps.size() - std::min(stamps.size(), kTimeStampsShownMax);
  for (std::size_t i = hidden; i < stamps.size(); ++i) {
    const auto& stamp = stamps[i].stamp;
    text += fmt::format("time stamp {} of {} by {} (certificate until {})\n",
                        printable(stamps[i].where), format_second(stamp.time),
                        printable(stamp.authority), format_second(stamp.valid_until));
  }
  if (hidden > 0) text += fmt::format("and {} older time stamps\n", hidden);
  return text;
}

// Which logs, and how the one before led to the next.
std::string logs_text(const Verdict& verdict) {
  std::string text;
  for (const auto& origin : verdict.repinned) {
    text += fmt::format(
        "REPINNED {}: no statement of the log before it leads there; operators took it over\n",
        printable(origin));
  }
  for (const auto& rollback : verdict.rollbacks) {
    text += fmt::format(
        "ROLLBACK {} {}…{}: it was restored to an older state; leaves that did not "
        "come again are lost\n",
        printable(rollback.origin), rollback.end, rollback.size_seen);
  }
  for (const auto& end : verdict.earlier) {
    text += fmt::format("log {} ended at size {} root {}\n", printable(end.origin), end.size,
                        base64_encode(end.root));
  }
  if (verdict.checkpoint) {
    text += fmt::format("checkpoint {} size {} root {}\n", printable(verdict.checkpoint->origin),
                        verdict.checkpoint->size, base64_encode(verdict.checkpoint->root));
  }
  text += time_stamps_text(verdict.time_stamps);
  for (const auto& what : verdict.not_checked) {
    text += fmt::format("NOT CHECKED: {}\n", printable(what));
  }
  return text;
}

std::string counts_text(const Verdict& verdict) {
  const auto& c = verdict.counts;
  auto text = fmt::format("leaves {}, bundles {}, records {}, blobs {} ({} bytes)\n", c.leaves,
                          c.bundles, c.records, c.blobs, c.blob_bytes);
  text += fmt::format("anomalies {}, dropped {}, purged {}, withheld {}, late {}, overdue {}\n",
                      c.anomalies, c.dropped, c.purged, c.withheld, c.late, c.overdue);
  text += fmt::format("baselines and waivers in force: {} approved, {} claimed\n", c.approved,
                      c.claimed);
  if (verdict.replayed) {
    const auto& r = verdict.replays;
    text += fmt::format("replayed: {} same, {} different, {} ENGINE-DIFFERS, {} not replayable\n",
                        r.same, r.different, r.engine_differs, r.not_replayable);
  }
  return text;
}

// All that is counted is of hosts that enrolled.
std::string inventory_text(const Verdict& verdict) {
  if (!verdict.inventory) {
    return fmt::format(
        "{} host{} enrolled; no inventory is in the log, so one that never enrolled "
        "does not show\n",
        verdict.hosts.size(), verdict.hosts.size() == 1 ? "" : "s");
  }
  const auto& inventory = *verdict.inventory;
  return fmt::format("{} host{} enrolled; inventory {} of {} names {}: compare (sha256 {})\n",
                     verdict.hosts.size(), verdict.hosts.size() == 1 ? "" : "s",
                     printable(inventory.source), format_instant(inventory.at).substr(0, 10),
                     inventory.hosts, inventory.sha256);
}

std::string judgements_text(const std::vector<Host>& hosts) {
  Judgements all;
  for (const auto& host : hosts) {
    for (const auto& [control, j] : host.controls) {
      all.pass += j.pass;
      all.fail += j.fail;
      all.waived += j.waived;
      all.claimed_waived += j.claimed_waived;
      all.error += j.error;
      all.not_applicable += j.not_applicable;
    }
  }
  return fmt::format(
      "judgements: {} pass, {} fail, {} waived, {} waived as claimed only (count as fail), "
      "{} not applicable, {} errors (not judged)\n",
      all.pass, all.fail, all.waived, all.claimed_waived, all.not_applicable, all.error);
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::verified:
      return "VERIFIED";
    case Standing::engine_differs:
      return "VERIFIED, NOT REPLAYED UNDER THE SAME ENGINE";
    case Standing::failed:
      return "FAILED";
  }
  return "FAILED";
}

void Verdict::add_anomaly(std::string where, std::string what) {
  ++counts.anomalies;
  if (anomalies.size() >= kAnomaliesShownMax) return;
  anomalies.push_back({std::move(where), std::move(what)});
}

Standing Verdict::standing() const {
  if (!failures.empty() ||
      std::ranges::any_of(hosts, [](const Host& h) { return h.failure.has_value(); })) {
    return Standing::failed;
  }
  return replays.engine_differs > 0 ? Standing::engine_differs : Standing::verified;
}

std::string write_text(const Verdict& verdict) {
  std::string text = headline(verdict);
  for (const auto& failure : verdict.failures) text += line_of(failure);
  for (const auto& host : verdict.hosts) {
    if (host.failure) text += line_of(*host.failure);
  }
  if (verdict.anchors_from_export) {
    text +=
        "ANCHORS FROM EXPORT: the log's key came with the evidence; get it elsewhere (--policy)\n";
  }
  text += logs_text(verdict);
  text += fmt::format("mode {}\n", verdict.mode == Mode::full ? "full" : "selective");
  text += counts_text(verdict);
  text += judgements_text(verdict.hosts);
  if (verdict.mode == Mode::full && !verdict.hosts.empty()) {
    text += "expected = observed + run-failed + run-missed + run-suppressed + unexplained\n";
    for (const auto& host : verdict.hosts) text += line_of(host);
    text += inventory_text(verdict);
  }
  for (const auto& anomaly : verdict.anomalies) {
    text += fmt::format("anomaly {}: {}\n", printable(anomaly.where), printable(anomaly.what));
  }
  const auto hidden = static_cast<std::size_t>(verdict.counts.anomalies) - verdict.anomalies.size();
  if (hidden > 0) text += fmt::format("and {} more anomalies\n", hidden);
  return text;
}

}  // namespace vouch::verify
