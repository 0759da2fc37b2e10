// SPDX-License-Identifier: Apache-2.0
// Checks and restore tests: those of the site's units, by systemd, and our own.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/backup_jobs/host_jobs.h"
#include "collectors/backup_jobs/own_tests.h"
#include "collectors/backup_jobs/systemctl.h"
#include "collectors/backup_jobs/tables.h"
#include "core/file.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kMemoryBytesMax = std::size_t{8} << 20;
constexpr WallSeconds kDayS = 86400;

bool is_test(const FoundUse& place) {
  return place.use.action == "check" || place.use.action == "restore";
}

// Why systemd's word on the unit is no result; empty if it is one.
std::string_view without_result(const FoundUse& place, bool is_live) {
  if (place.unit.empty()) return "cron keeps no result of its runs";
  if (!is_live) return "systemd does not run here: no result is known";
  if (place.use.tool == "pgbackrest" && place.use.action == "check")
    return "pgbackrest verify ends well although a backup is damaged; set verify_days";
  return {};
}

Status add_unit_tests(sdk::Context& context, const HostJobs& host, sdk::Rows& rows) {
  std::vector<std::string> units;
  for (const FoundUse& place : host.discovery.uses) {
    if (is_test(place) && !place.unit.empty()) units.push_back(place.unit);
  }
  std::map<std::string, UnitState> states;
  const bool is_live = is_systemd_running(context.root());
  if (is_live && !units.empty()) {
    auto answer = ask_units(units, context.remaining());
    if (!answer) return std::move(answer).error();
    states = *std::move(answer);
  }
  std::set<std::string> seen;
  for (const FoundUse& place : host.discovery.uses) {
    if (!is_test(place)) continue;
    if (const auto reason = without_result(place, is_live); !reason.empty()) {
      rows.gap(place.name, {Errc::unsupported, std::string(reason)});
      continue;
    }
    const UnitState& state = states[place.unit];
    if (!state.finished) continue;  // It never ran: no check, which is a fact.
    for (const Job& job : host.jobs) {
      if (!is_use_of(place.use, job)) continue;
      if (!seen.insert(job.name + '\n' + place.use.action + '\n' + place.unit).second) continue;
      rows.add({job.name, place.use.action, place.unit, *state.finished,
                state.result == "success" ? "ok" : "failed", "systemd says: " + state.result,
                nullptr, nullptr, nullptr});
    }
  }
  return Ok{};
}

// Our own tests with their results of earlier runs.
class OwnTests {
 public:
  OwnTests(sdk::Context& context, const HostJobs& host, sdk::Rows& rows)
      : context_(context), host_(host), rows_(rows) {}

  Status run() {
    if (auto status = load(); !status) return status;
    for (const Job& job : host_.jobs) {
      if (job.verify_days) test(job, "check", *job.verify_days);
      if (job.restore_days) test(job, "restore", *job.restore_days);
    }
    if (!is_changed_) return Ok{};
    return write_file_durable(path(), serialize(kept_), 0600);
  }

 private:
  [[nodiscard]] std::string path() const { return context_.cache_dir() + "/tests"; }

  Status load() {
    bool is_wanted = false;
    for (const Job& job : host_.jobs) is_wanted = is_wanted || job.verify_days || job.restore_days;
    if (!is_wanted || !context_.is_host()) return Ok{};
    if (context_.cache_dir().empty()) {
      return Error{Errc::unsupported,
                   "no memory between runs: the collector was given no directory for it"};
    }
    const auto bytes = read_file(path(), kMemoryBytesMax);
    if (!bytes && bytes.error().code != Errc::not_found) return bytes.error();
    if (!bytes) return Ok{};
    auto memory = parse_test_memory(*bytes);
    if (memory) {
      memory_ = *std::move(memory);
    } else {
      rows_.gap("memory", memory.error());  // Each test is done anew.
    }
    return Ok{};
  }

  Result<TestResult> make(const Job& job, std::string_view kind) {
    if (const auto reason = obstacle(context_, job); !reason.empty())
      return Error{Errc::unsupported, std::string(reason)};
    if (!context_.is_host()) return Error{Errc::unsupported, "no tool is run for an image"};
    const auto& directory = work_directory_of(context_);
    if (!directory) return directory.error();
    const auto deadline = context_.remaining();
    if (deadline.count() == 0) return Error{Errc::timeout, "no time was left to test it"};
    if (kind == "check")
      return check_repository(context_.root(), job, (*directory)->path(), deadline);
    const auto& answer = answers_of(context_, host_).at(job.name);
    if (!answer) return answer.error();
    return test_restore(context_.root(), job, *answer, (*directory)->path(), deadline);
  }

  void test(const Job& job, std::string_view kind, std::int64_t days) {
    const std::string key = job.name + '\n' + std::string(kind);
    const auto known = memory_.find(key);
    const WallSeconds now = context_.now();
    const bool is_due = known == memory_.end() || now - known->second.time >= days * kDayS ||
                        known->second.time > now;
    if (is_due) {
      auto result = make(job, kind);
      if (result) {
        kept_[key] = *std::move(result);
        is_changed_ = true;
      } else {
        rows_.gap(job.name, result.error());
      }
    }
    if (!kept_.contains(key) && known != memory_.end()) kept_[key] = known->second;
    const auto entry = kept_.find(key);
    if (entry == kept_.end()) return;
    const TestResult& test = entry->second;
    rows_.add({job.name, kind, "vouch", test.time, test.ok ? "ok" : "failed", test.message,
               test.duration_s, test.files, test.mismatched});
  }

  sdk::Context& context_;
  const HostJobs& host_;
  sdk::Rows& rows_;
  TestMemory memory_;
  TestMemory kept_;
  bool is_changed_ = false;
};

}  // namespace

Status collect_backup_checks(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  if (auto status = add_unit_tests(context, *host, rows); !status) return status;
  return OwnTests(context, *host, rows).run();
}

}  // namespace vouch::backup_jobs
