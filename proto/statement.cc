// SPDX-License-Identifier: Apache-2.0
#include "proto/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <type_traits>

#include "core/json.h"
#include "proto/fields.h"
#include "proto/limits.h"
#include "proto/record_reader.h"
#include "proto/subject_fields.h"

namespace vouch {
namespace {

template <class Io, class T>
void describe_agent(Io& io, T& agent) {
  io.text("id", agent.id, Form::agent_id);
  io.text("host", agent.host, Form::word);
  io.text("machine", agent.machine, Form::machine);
  io.text("version", agent.version, Form::word);
  io.text("digest", agent.digest, Form::digest);
}

template <class Io, class T>
void describe_schedule(Io& io, T& counts) {
  io.integer("carried", counts.carried);
  io.integer("expected", counts.expected);
  io.integer("observed", counts.observed);
  io.integer("failed", counts.failed);
  io.integer("missed", counts.missed);
  io.integer("suppressed", counts.suppressed);
  io.texts("open", counts.open, Form::run, kRecordsMax);
}

template <class Io, class T>
void describe_clocks(Io& io, T& bundle) {
  io.object("period", [&](auto& inner) {
    inner.instant("from", bundle.period_from);
    inner.instant("to", bundle.period_to);
  });
  io.object("boot", [&](auto& inner) {
    inner.text("id", bundle.boot_id, Form::boot_id);
    inner.integer("us", bundle.boot_us);
  });
  io.object("clock", [&](auto& inner) {
    inner.instant("sealed", bundle.sealed);
    inner.boolean("synced", bundle.clock_synced);
    inner.text("source", bundle.clock_source, Form::word);
    inner.integer("error_us", bundle.clock_error_us);
  });
  io.instant("next_due", bundle.next_due);
}

// Everything but the records, which are of many kinds.
template <class Io, class T>
void describe_bundle(Io& io, T& bundle) {
  io.object("agent", [&](auto& inner) { describe_agent(inner, bundle.agent); });
  io.object("chain", [&](auto& inner) {
    inner.integer("seq", bundle.seq);
    inner.text("prev", bundle.prev, Form::digest);
    inner.integer("epoch", bundle.epoch);
  });
  describe_clocks(io, bundle);
  io.text("config", bundle.config, Form::digest);
  io.object("schedule", [&](auto& inner) { describe_schedule(inner, bundle.schedule); });
  io.object("log_seen", bundle.log_seen, [](auto& inner, auto& seen) {
    inner.text("origin", seen.origin, Form::word);
    inner.integer("size", seen.size);
    inner.text("root", seen.root, Form::root);
    inner.text("sig", seen.sig, Form::word);
  });
  io.object("enrolment", bundle.enrolment, [](auto& inner, auto& enrolment) {
    inner.integer("leaf_index", enrolment.leaf_index);
    inner.text("statement", enrolment.statement, Form::digest);
  });
}

std::string serialise(const Statement& statement) {
  FieldWriter predicate;
  describe_bundle(predicate, statement.bundle);
  json::Array records;
  for (const auto& record : statement.bundle.records) records.push_back(to_json(record));
  predicate.put("records", std::move(records));

  FieldWriter io;
  io.put("_type", kStatementType);
  io.put("predicateType", kBundlePredicateType);
  io.objects("subject", statement.subject, kSubjectsMax, write_subject);
  io.put("predicate", predicate.take());
  return json::write(io.take());
}

Error bundle_error(std::string_view pointer, std::string_view reason) {
  return Error{Errc::invalid, fmt::format("/predicate/{}: {}", pointer, reason)};
}

Status check_places(const Bundle& bundle) {
  for (std::size_t i = 0; i < bundle.records.size(); ++i) {
    const auto& record = bundle.records[i];
    const auto* rotate = std::get_if<KeyRotate>(&record);
    const bool last = i + 1 == bundle.records.size();
    if ((rotate || std::holds_alternative<ConfigChange>(record)) && !last) {
      return bundle_error(fmt::format("records/{}", i), "must be the last record");
    }
    if (rotate && rotate->epoch != bundle.epoch + 1) {
      return bundle_error(fmt::format("records/{}/epoch", i), "is not the next one");
    }
  }
  return Ok{};
}

Status check_runs(const Bundle& bundle) {
  std::set<std::string_view> runs;
  for (const auto& record : bundle.records) {
    const auto* times = run_times(record);
    if (times && !runs.insert(times->run).second) {
      return bundle_error("records", fmt::format("run {} is there twice", times->run));
    }
  }
  for (const auto& run : bundle.schedule.open) {
    if (run.find('+') != std::string::npos) {
      return bundle_error("schedule/open", fmt::format("run {} is not scheduled", run));
    }
    if (!runs.insert(run).second) {
      return bundle_error("schedule/open", fmt::format("run {} is there twice", run));
    }
  }
  return Ok{};
}

Status check_counts(const Bundle& bundle) {
  const auto& counts = bundle.schedule;
  auto found = counts;
  count_runs(bundle.records, found);
  if (found.observed != counts.observed || found.failed != counts.failed ||
      found.missed != counts.missed || found.suppressed != counts.suppressed) {
    return bundle_error("schedule", "the counts are not those of the records");
  }
  const auto open = static_cast<std::int64_t>(counts.open.size());
  if (counts.carried + counts.expected !=
      counts.observed + counts.failed + counts.missed + counts.suppressed + open) {
    return bundle_error("schedule",
                        "carried + expected is not observed + failed + missed + suppressed + open");
  }
  return Ok{};
}

}  // namespace

void read_subject(FieldReader& io, Subject& subject) {
  io.text("name", subject.name, Form::word);
  io.object("digest",
            [&](FieldReader& inner) { inner.text("sha256", subject.sha256, Form::digest); });
}

void write_subject(FieldWriter& io, const Subject& subject) {
  io.text("name", subject.name);
  io.object("digest", [&](FieldWriter& inner) { inner.text("sha256", subject.sha256); });
}

void check_subject_list(FieldReader& io, const std::vector<Subject>& subjects) {
  if (subjects.empty()) return io.fail("subject", "is empty");
  std::set<std::string_view> digests;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (i > 0 && subjects[i].name <= subjects[i - 1].name) {
      return io.fail(fmt::format("subject/{}/name", i), "not sorted by name, or twice");
    }
    if (!digests.insert(subjects[i].sha256).second) {
      return io.fail(fmt::format("subject/{}/digest", i), "a digest is there twice");
    }
  }
}

bool Statement::has_subject(std::string_view sha256) const {
  return std::ranges::find(subject, sha256, &Subject::sha256) != subject.end();
}

void count_runs(const std::vector<Record>& records, ScheduleCounts& counts) {
  counts.observed = counts.failed = counts.missed = counts.suppressed = 0;
  // Ranges come from outside: saturate, so that no sum of them overflows.
  const auto add = [](std::int64_t& total, std::int64_t count) {
    total = count > json::kIntegerMax - total ? json::kIntegerMax : total + count;
  };
  for (const auto& record : records) {
    if (const auto* run = run_times(record)) {
      if (run->trigger != Trigger::schedule) continue;
      add(std::holds_alternative<Observation>(record) ? counts.observed : counts.failed, 1);
    } else if (const auto* missed = std::get_if<RunMissed>(&record)) {
      add(counts.missed, missed->ticks.count());
    } else if (const auto* suppressed = std::get_if<RunSuppressed>(&record)) {
      add(counts.suppressed, suppressed->ticks.count());
    }
  }
}

Status check_bundle(const Bundle& bundle) {
  if (bundle.period_to != std::max(bundle.period_from, bundle.sealed)) {
    return bundle_error("period/to", "is not the later of period/from and clock/sealed");
  }
  if (bundle.next_due <= bundle.sealed || bundle.next_due > bundle.sealed + kNextDueMsMax) {
    return bundle_error("next_due", "must be after clock/sealed, by at most 24 h");
  }
  if (bundle.seq != 0 && bundle.enrolment) return bundle_error("enrolment", "belongs to seq 0");
  if (bundle.epoch > bundle.seq) return bundle_error("chain/epoch", "is above seq");
  for (const auto check : {check_places, check_runs, check_counts}) {
    if (auto checked = check(bundle); !checked) return checked;
  }
  return Ok{};
}

Result<Statement> parse_statement(std::string_view payload) {
  if (payload.size() > kStatementBytesMax) {
    return Error{Errc::too_large, fmt::format("/: over {} bytes", kStatementBytesMax)};
  }
  const auto value = json::parse(payload);
  if (!value) return Error(value.error()).in("/");

  FieldProblem problem;
  FieldReader io(*value, "", problem);
  std::string type, predicate_type;
  io.text("_type", type);
  io.text("predicateType", predicate_type);
  if (type != kStatementType) io.fail("_type", "is unknown");
  if (predicate_type != kBundlePredicateType) io.fail("predicateType", "is unknown");
  if (problem.error()) return *problem.error();

  Statement statement;
  io.objects("subject", statement.subject, kSubjectsMax, read_subject);
  check_subject_list(io, statement.subject);
  io.object("predicate", [&](FieldReader& predicate) {
    describe_bundle(predicate, statement.bundle);
    predicate.objects("records", statement.bundle.records, kRecordsMax, read_record);
  });
  if (problem.error()) return *problem.error();
  if (auto checked = check_bundle(statement.bundle); !checked) return std::move(checked).error();
  if (!statement.has_subject(statement.bundle.config)) {
    return Error{Errc::invalid, "/subject: lacks the configuration"};
  }
  return statement;
}

Result<std::string> write_statement(const Statement& statement) {
  auto payload = serialise(statement);
  auto read_back = parse_statement(payload);
  if (!read_back) return std::move(read_back).error().in("write statement");
  return payload;
}

}  // namespace vouch
