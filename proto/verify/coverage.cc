// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/coverage.h"

#include <algorithm>

namespace vouch::verify {
namespace {

constexpr WallMs kMsPerSecond = 1000;
constexpr WallMs kFirstStartMsMax =
    WallMs{3600} * 1000;  // From enrolment to the first bundle's time.

const ScheduleEntry* find_entry(const std::vector<ScheduleEntry>& schedule,
                                std::string_view collector) {
  const auto entry = std::ranges::find(schedule, collector, &ScheduleEntry::collector);
  return entry == schedule.end() ? nullptr : &*entry;
}

std::int64_t overlap(const TickRange& a, const TickRange& b) {
  return TickRange{std::max(a.first, b.first), std::min(a.last, b.last)}.count();
}

}  // namespace

std::int64_t ticks_inside(const TickRange& ticks, const ScheduleEntry* entry,
                          const std::optional<Period>& period) {
  if (!period) return ticks.count();
  if (entry == nullptr) return 0;
  return overlap(ticks, due_ticks(*entry, period->from, period->to));
}

std::string_view Coverage::verdict() const {
  if (unexplained != 0 || !reaches_end) return "INCOMPLETE";
  if (failed != 0 || missed != 0 || suppressed != 0) return "COMPLETE WITH EXCEPTIONS";
  return "COMPLETE";
}

bool CoverageCounter::is_inside(WallSeconds due) const {
  if (!period_) return true;
  return due * kMsPerSecond >= period_->from && due * kMsPerSecond < period_->to;
}

void CoverageCounter::add(const Bundle& bundle, const std::vector<ScheduleEntry>& schedule) {
  if (!started_) coverage_.from = bundle.period_from;
  started_ = true;
  last_to_ = bundle.period_to;
  last_schedule_ = schedule;

  const auto from = period_ ? std::max(bundle.period_from, period_->from) : bundle.period_from;
  const auto to = period_ ? std::min(bundle.period_to, period_->to) : bundle.period_to;
  if (from < to) {
    for (const auto& entry : schedule) coverage_.expected += due_ticks(entry, from, to).count();
  }
  for (const auto& record : bundle.records) {
    if (const auto* run = run_times(record)) {
      if (!run->scheduled || !is_inside(*run->scheduled)) continue;
      ++(std::holds_alternative<Observation>(record) ? coverage_.observed : coverage_.failed);
    } else if (const auto* missed = std::get_if<RunMissed>(&record)) {
      coverage_.missed +=
          ticks_inside(missed->ticks, find_entry(schedule, missed->collector), period_);
    } else if (const auto* suppressed = std::get_if<RunSuppressed>(&record)) {
      coverage_.suppressed +=
          ticks_inside(suppressed->ticks, find_entry(schedule, suppressed->collector), period_);
    }
  }
}

Coverage CoverageCounter::finish(bool ended, std::optional<WallMs> enrolled_at) const {
  Coverage result = coverage_;
  result.to = last_to_;
  result.reaches_end = started_;  // Nobody accounts for a host that never sealed a bundle.
  if (period_) {
    result.from = period_->from;
    result.to = period_->to;
    result.reaches_end = started_ && (ended || last_to_ >= period_->to);
    // Ticks after the last bundle are due, and nobody accounts for them.
    if (!ended && started_ && last_to_ < period_->to) {
      for (const auto& entry : last_schedule_) {
        result.expected += due_ticks(entry, std::max(last_to_, period_->from), period_->to).count();
      }
    }
  }
  if (enrolled_at) {
    // Ticks before the chain's own time are nobody's; a chain that begins later leaves a hole.
    const auto owed_from = period_ ? std::max(period_->from, *enrolled_at) : *enrolled_at;
    if (coverage_.from > owed_from + kFirstStartMsMax) result.reaches_end = false;
  }
  result.unexplained =
      result.expected - result.observed - result.failed - result.missed - result.suppressed;
  return result;
}

WallMs CoverageCounter::owed_from(std::optional<WallMs> enrolled_at) const {
  const auto begin = std::min(coverage_.from, enrolled_at.value_or(coverage_.from));
  return period_ ? std::max(begin, period_->from) : begin;
}

WallMs CoverageCounter::owed_to(bool ended) const {
  if (!period_) return last_to_;
  return ended ? std::min(last_to_, period_->to) : period_->to;
}

void count_judgements(const std::vector<Outcome>& outcomes, bool waivers_approved,
                      std::map<std::string, Judgements>& controls) {
  for (const auto& outcome : outcomes) {
    auto& control = controls[outcome.control];
    switch (outcome.outcome) {
      case OutcomeKind::pass:
        ++control.pass;
        break;
      case OutcomeKind::fail:
        ++control.fail;
        break;
      case OutcomeKind::error:
        ++control.error;
        break;
      case OutcomeKind::not_applicable:
        ++control.not_applicable;
        break;
      case OutcomeKind::waived:
        ++(waivers_approved ? control.waived : control.claimed_waived);
        break;
    }
  }
}

}  // namespace vouch::verify
