// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace vouch::agent {
namespace {

// A store that was restarted, a network that was away: nothing to wake somebody for.
constexpr std::int64_t kUnsentSecondsMax = 3600;
constexpr std::int64_t kLateSeconds = 300;  // How late a run may be besides its deadline.
constexpr std::int64_t kSpoolPercent = 80;

bool is_true(const json::Value& object, std::string_view member) {
  const auto* value = object.find(member);
  return value != nullptr && value->if_bool() != nullptr && *value->if_bool();
}

std::optional<std::int64_t> number(const json::Value& object, std::string_view member) {
  const auto* value = object.find(member);
  if (value == nullptr || value->if_integer() == nullptr) return std::nullopt;
  return *value->if_integer();
}

std::optional<std::string> text(const json::Value& object, std::string_view member) {
  const auto* value = object.find(member);
  if (value == nullptr || value->if_string() == nullptr) return std::nullopt;
  return *value->if_string();
}

std::optional<WallSeconds> second(const json::Value& object, std::string_view member) {
  const auto written = text(object, member);
  if (!written) return std::nullopt;
  const auto parsed = parse_second(*written);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

const json::Array& collectors_of(const json::Value& status) {
  static const json::Array kNone;
  const auto* value = status.find("collectors");
  return value != nullptr && value->if_array() != nullptr ? *value->if_array() : kNone;
}

void judge_chain(const json::Value& status, WallSeconds now, std::vector<Problem>& out) {
  if (is_true(status, "forked")) {
    out.push_back({true, "the store proved another bundle at one of our numbers: nothing is sealed",
                   "find the copy of this host's state or key that is in use elsewhere, then "
                   "enrol again (docs/operations.md, a cloned machine)"});
  }
  if (is_true(status, "log_alarm")) {
    out.push_back({true, "the store's log contradicts itself: nothing is deleted any more",
                   "keep this state, and show the record log-alarm to whoever runs the store"});
  }
  const auto due = second(status, "next_due");
  if (due && now > *due + kLateSeconds) {
    out.push_back({true,
                   fmt::format("nothing was sealed since {}, though promised by {}",
                               text(status, "last_sealed").value_or("ever"), format_second(*due)),
                   "read `journalctl -u vouchd`"});
  }
}

void judge_delivery(const json::Value& status, WallSeconds now, std::vector<Problem>& out) {
  if (!is_true(status, "enrolled")) {
    out.push_back({false, "no store is known: what is sealed stays on this host",
                   "vouch-store token create, at the store, then `vouch enroll` here"});
    return;
  }
  const auto oldest = second(status, "oldest_waiting");
  if (oldest && now - *oldest > kUnsentSecondsMax) {
    out.push_back(
        {true,
         fmt::format("{} bundles wait for their receipt, the oldest since {}",
                     number(status, "waiting_bundles").value_or(0), format_second(*oldest)),
         "`vouch doctor` tries the store; `journalctl -u vouch-ship` has its answers"});
  }
  const auto bytes = number(status, "spool_bytes").value_or(0);
  const auto bytes_max = number(status, "spool_bytes_max").value_or(0);
  if (bytes_max > 0 && bytes / kSpoolPercent >= bytes_max / 100) {
    const bool full = bytes >= bytes_max;
    out.push_back({full,
                   fmt::format("{} of {} bytes for undelivered evidence are taken{}", bytes,
                               bytes_max, full ? ": nothing is collected" : ""),
                   "bring the store back, or raise spool_max"});
  }
}

void judge_collectors(const json::Value& status, WallSeconds now, std::vector<Problem>& out) {
  for (const json::Value& collector : collectors_of(status)) {
    const std::string name = text(collector, "name").value_or("?");
    if (const auto failure = text(collector, "failure")) {
      out.push_back({true, fmt::format("{}: the last run failed: {}", name, *failure),
                     fmt::format("sudo vouch collect {} shows what it says", name)});
      continue;
    }
    const auto observed = second(collector, "last_observed");
    const auto interval = number(collector, "interval_s").value_or(0);
    if (observed && now - *observed > 2 * interval + kLateSeconds) {
      out.push_back({true,
                     fmt::format("{}: not observed since {}, though due every {} s", name,
                                 format_second(*observed), interval),
                     "read `journalctl -u vouchd`"});
    }
  }
}

void judge_clock(const json::Value& status, std::vector<Problem>& out) {
  const auto* clock = status.find("clock");
  if (clock == nullptr || is_true(*clock, "synced")) return;
  out.push_back({false, "the clock is not synchronised: the times on record are only claims",
                 "start chrony or systemd-timesyncd"});
}

// A label's value, as the text format wants it.
std::string label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

class Metrics {
 public:
  void head(std::string_view name, std::string_view help) {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} gauge\n", name, help, name);
  }
  void value(std::string_view name, std::int64_t number) {
    out_ += fmt::format("{} {}\n", name, number);
  }
  void of_collector(std::string_view name, const std::string& collector, std::int64_t number) {
    out_ += fmt::format("{}{{collector=\"{}\"}} {}\n", name, label(collector), number);
  }
  void one(std::string_view name, std::string_view help, std::optional<std::int64_t> number) {
    if (!number) return;
    head(name, help);
    value(name, *number);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

std::vector<Problem> problems_of(const json::Value& status, WallSeconds now) {
  std::vector<Problem> problems;
  judge_chain(status, now, problems);
  judge_collectors(status, now, problems);
  judge_delivery(status, now, problems);
  judge_clock(status, problems);
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return a.is_failure && !b.is_failure;
  });
  return problems;
}

std::string write_metrics(const json::Value& status, WallSeconds now) {
  Metrics metrics;
  const auto problems = problems_of(status, now);
  const auto failures = std::count_if(problems.begin(), problems.end(),
                                      [](const Problem& problem) { return problem.is_failure; });
  metrics.one("vouch_failures", "What `vouch status` calls a failure.", failures);
  metrics.one("vouch_enrolled", "1 if a store is known.", is_true(status, "enrolled") ? 1 : 0);
  metrics.one("vouch_sealed_bundles", "Bundles in this agent's chain.",
              number(status, "sealed_bundles"));
  metrics.one("vouch_waiting_bundles", "Sealed bundles without a receipt.",
              number(status, "waiting_bundles"));
  metrics.one("vouch_spool_bytes", "Bytes of undelivered parcels.", number(status, "spool_bytes"));
  const auto oldest = second(status, "oldest_waiting");
  metrics.one("vouch_oldest_unsent_seconds", "Age of the oldest bundle without a receipt.",
              oldest ? std::max<std::int64_t>(now - *oldest, 0) : 0);
  metrics.one("vouch_receipt_latency_milliseconds", "From sealing to receipt, of the last one.",
              number(status, "receipt_latency_ms"));
  metrics.one("vouch_next_due_timestamp_seconds", "When the next bundle is promised.",
              second(status, "next_due"));
  if (const auto* clock = status.find("clock")) {
    metrics.one("vouch_clock_synchronised", "1 if the kernel says so.",
                is_true(*clock, "synced") ? 1 : 0);
    metrics.one("vouch_clock_error_microseconds", "The kernel's bound of the clock's error.",
                number(*clock, "error_us"));
  }
  const auto& collectors = collectors_of(status);
  metrics.head("vouch_collector_failed", "1 if the last run failed.");
  for (const auto& each : collectors) {
    metrics.of_collector("vouch_collector_failed", text(each, "name").value_or("?"),
                         text(each, "failure") ? 1 : 0);
  }
  metrics.head("vouch_collector_last_observed_timestamp_seconds", "When it last told its tables.");
  for (const auto& each : collectors) {
    const auto observed = second(each, "last_observed");
    if (!observed) continue;
    metrics.of_collector("vouch_collector_last_observed_timestamp_seconds",
                         text(each, "name").value_or("?"), *observed);
  }
  return metrics.take();
}

}  // namespace vouch::agent
