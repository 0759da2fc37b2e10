// SPDX-License-Identifier: Apache-2.0
#include "proto/record.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <type_traits>
#include <utility>

#include "proto/collector_protocol.h"
#include "proto/event_fields.h"
#include "proto/names.h"
#include "proto/record_kind.h"
#include "proto/record_reader.h"
#include "proto/run_fields.h"

namespace vouch {
namespace {

constexpr std::array<std::string_view, 6> kContentMembers = {"collector", "tables", "inputs",
                                                             "policy",    "engine", "outcomes"};

// What a run's times must satisfy together.
void check_times(FieldReader& io, const RunTimes& times) {
  const auto run = parse_run_id(times.run);
  if (!run) return;
  const bool scheduled = times.trigger == Trigger::schedule;
  if (scheduled != run->scheduled()) io.fail("run", "does not fit the trigger");
  if (scheduled != times.scheduled.has_value()) {
    io.fail("scheduled", "must be there for scheduled runs alone");
  }
  if ((times.trigger == Trigger::watch) != !times.cause.empty()) {
    io.fail("cause", "must be there for watched paths alone");
  }
  if (times.started.has_value() != times.duration_ms.has_value()) {
    io.fail("duration_ms", "must be there if started is");
  }
}

void check_tables(FieldReader& io, const RunContent& content) {
  std::set<std::string_view> names;
  for (const auto& table : content.tables) {
    if (!names.insert(table.name).second) io.fail("tables", "a table is there twice");
    if (table.error && table.unchanged) io.fail("tables", "an error that is unchanged");
  }
  std::set<std::pair<std::string_view, std::string_view>> inputs;
  for (const auto& input : content.inputs) {
    const std::string_view run = input.run ? std::string_view(*input.run) : std::string_view();
    if (!inputs.emplace(input.name, run).second) io.fail("inputs", "an input is there twice");
  }
}

void read(FieldReader& io, Observation& run) {
  describe_times(io, run);
  if (io.has("cause")) io.text("cause", run.cause, Form::word);
  io.second("now", run.now);
  check_times(io, run);
  if (!run.started) io.fail("started", "is missing");
  if (!io.has("same_as")) {
    auto& content = run.content.emplace<RunContent>();
    describe_content(io, content);
    check_tables(io, content);
    const auto id = parse_run_id(run.run);
    if (id && id->collector != content.collector.name) {
      io.fail("collector/name", "is not that of the run id");
    }
    return;
  }
  describe_same_as(io, run.content.emplace<SameAs>());
  for (const auto member : kContentMembers) {
    if (io.has(member)) io.fail(member, "beside same_as");
  }
}

void read(FieldReader& io, RunFailed& run) {
  describe_times(io, run);
  if (io.has("cause")) io.text("cause", run.cause, Form::word);
  io.object("collector", run.collector,
            [](FieldReader& inner, CollectorRef& ref) { describe_collector(inner, ref); });
  io.text("reason", run.reason);
  io.text("message", run.message, Form::message);
  check_times(io, run);
  if (!parse_violation(run.reason)) io.fail("reason", "is not a reason of run-failed");
  if (run.started.has_value() == (run.reason == to_string(Violation::crash))) {
    io.fail("started", "must be absent after a crash, and only then");
  }
}

template <class T>
void read(FieldReader& io, T& event) {
  io.instant("at", event.at);
  describe(EventTag<T>{}, io, event);
  if constexpr (std::is_same_v<T, RunMissed> || std::is_same_v<T, RunSuppressed>) {
    if (event.ticks.count() == 0) io.fail("ticks", "first is after last");
  }
  if constexpr (std::is_same_v<T, SpoolDrop>) {
    if (event.last_seq < event.first_seq) io.fail("last_seq", "is before first_seq");
  }
}

void write(FieldWriter& io, const Observation& run) {
  describe_times(io, run);
  if (!run.cause.empty()) io.text("cause", run.cause);
  io.second("now", run.now);
  if (const auto* same_as = std::get_if<SameAs>(&run.content)) {
    describe_same_as(io, *same_as);
  } else {
    describe_content(io, std::get<RunContent>(run.content));
  }
}

void write(FieldWriter& io, const RunFailed& run) {
  describe_times(io, run);
  if (!run.cause.empty()) io.text("cause", run.cause);
  io.object("collector", run.collector,
            [](FieldWriter& inner, const CollectorRef& ref) { describe_collector(inner, ref); });
  io.text("reason", run.reason);
  io.text("message", run.message);
}

template <class T>
void write(FieldWriter& io, const T& event) {
  io.instant("at", event.at);
  describe(EventTag<T>{}, io, event);
}

// Tries the alternatives of Record in turn.
template <std::size_t kIndex = 0>
bool read_kind(std::string_view kind, FieldReader& io, Record& out) {
  if constexpr (kIndex == std::variant_size_v<Record>) {
    return false;
  } else {
    using T = std::variant_alternative_t<kIndex, Record>;
    if (kind != kKindOf<T>) return read_kind<kIndex + 1>(kind, io, out);
    read(io, out.emplace<T>());
    return true;
  }
}

}  // namespace

std::string_view to_string(Trigger trigger) {
  switch (trigger) {
    case Trigger::schedule:
      return "schedule";
    case Trigger::start:
      return "start";
    case Trigger::watch:
      return "watch";
    case Trigger::manual:
      return "manual";
  }
  return "schedule";
}

Result<Trigger> parse_trigger(std::string_view text) {
  for (const auto trigger : {Trigger::schedule, Trigger::start, Trigger::watch, Trigger::manual}) {
    if (text == to_string(trigger)) return trigger;
  }
  return Error{Errc::invalid, "expected schedule, start, watch or manual"};
}

std::string_view kind_of(const Record& record) {
  return std::visit([](const auto& event) { return kKindOf<std::remove_cvref_t<decltype(event)>>; },
                    record);
}

const RunTimes* run_times(const Record& record) {
  if (const auto* run = std::get_if<Observation>(&record)) return run;
  return std::get_if<RunFailed>(&record);
}

json::Value to_json(const Record& record) {
  FieldWriter io;
  io.put("kind", kind_of(record));
  std::visit([&](const auto& event) { write(io, event); }, record);
  return io.take();
}

void read_record(FieldReader& io, Record& out) {
  std::string kind;
  io.text("kind", kind);
  if (!read_kind(kind, io, out)) io.fail("kind", "is not a kind of record");
}

Result<Record> parse_record(const json::Value& value) {
  FieldProblem problem;
  FieldReader io(value, "", problem);
  Record record;
  read_record(io, record);
  if (problem.error()) return *problem.error();
  return record;
}

}  // namespace vouch
