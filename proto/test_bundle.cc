// SPDX-License-Identifier: Apache-2.0
#include "proto/test_bundle.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/dsse.h"
#include "proto/subjects.h"

namespace vouch::test {
namespace {

constexpr std::int64_t kIntervalSeconds = 300;
constexpr WallMs kPeriodMs = kIntervalSeconds * 1000;
constexpr auto kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";
constexpr auto kMachine = "19a05c30e9944d5eafb4a7e391349684";
constexpr auto kBoot = "0b7d6f1c-2a9e-4c53-9a51-2d0e8b3f4c77";

template <class T>
T times(std::int64_t tick) {
  T run;
  run.run = "access_review/" + std::to_string(tick);
  run.scheduled = kStart / 1000 + tick * kIntervalSeconds;
  run.started = kStart + tick * kPeriodMs + 12;
  run.finished = kStart + tick * kPeriodMs + 30;
  run.duration_ms = 18;
  return run;
}

Change change(std::string_view from, std::string_view to) {
  return {kStart, digest_of(from), digest_of(to), "root", "test"};
}

}  // namespace

std::string digest_of(std::string_view text) {
  return sha256_hex(text);
}

SigningKey seeded_key(char seed) {
  return std::move(*SigningKey::from_ed25519_seed(std::string(32, seed)));
}

std::vector<ScheduleEntry> schedule() {
  return {{"access_review", kStart / 1000, kIntervalSeconds, 30}};
}

Observation observation(std::int64_t tick) {
  auto run = times<Observation>(tick);
  run.now = kStart / 1000 + tick * kIntervalSeconds;
  auto& content = run.content.emplace<RunContent>();
  content.collector = {"access_review", "1.4.0", digest_of("executable")};
  TableRef users, shadow, baseline;
  users.name = "users";
  users.rows = 3;
  users.sha256 = digest_of("users");
  shadow.name = "shadow";
  shadow.error = TableError{"permission-denied", "shadow: needs CAP_DAC_READ_SEARCH"};
  baseline.name = "baseline_users";
  baseline.rows = 2;
  baseline.sha256 = digest_of("baseline");
  baseline.run = "access_review/0";
  content.tables = {users, shadow};
  content.inputs = {baseline};
  content.policy = digest_of("policy");
  content.engine = "vouch-policy/1 sqlite/3.40.1 re2/20220601 x86_64";
  content.outcomes = {1, digest_of("outcomes")};
  return run;
}

RunFailed run_failed(std::int64_t tick) {
  auto run = times<RunFailed>(tick);
  run.collector = CollectorRef{"access_review", "1.4.0", digest_of("executable")};
  run.reason = "deadline";
  run.message = "killed after 30 s";
  return run;
}

std::vector<Record> one_of_each() {
  const std::string root = base64_encode(std::string(32, 'r'));
  auto same = observation(1);
  same.content = SameAs{0, "access_review/0"};
  auto watch = observation(2);
  watch.run = "access_review/2+1";
  watch.trigger = Trigger::watch;
  watch.cause = "/etc/passwd";
  watch.scheduled.reset();
  auto crash = run_failed(4);
  crash.reason = "crash";
  crash.started.reset();
  crash.duration_ms.reset();
  crash.collector.reset();
  return {observation(0),
          same,
          watch,
          run_failed(3),
          crash,
          RunMissed{kStart, "access_review", {5, 8}, "not-running"},
          RunSuppressed{kStart, "access_review", {9, 9}, "maintenance", "root", kStart / 1000},
          AgentStart{kStart, "0.1.0", digest_of("vouchd"), true},
          AgentStop{kStart, "SIGTERM"},
          Heartbeat{kStart},
          ClockStep{kStart, kStart - 5000, kStart, 123456},
          KeyRotate{kStart, 1, seeded_key('b').public_key().spki(), "proof"},
          ConfigChange{change("config", "config2")},
          PolicyChange{change("policy", "policy2")},
          WaiverChange{change("waivers", "waivers2")},
          Approval{kStart, "users", digest_of("baseline"), "root", "T-1", "checked"},
          Attachment{kStart,
                     "policy.pdf",
                     digest_of("pdf"),
                     "application/pdf",
                     3,
                     "Policy",
                     "root",
                     {"access-policy"},
                     kStart / 1000,
                     kStart / 1000 + 86400,
                     365},
          SpoolDrop{kStart, 1, 2, {digest_of("lost")}, "root", "disk"},
          Refused{kStart, 3, 403, "bad-signature"},
          LogAlarm{kStart, "old", "new", "proof"},
          StoreRollback{kStart, "store.example.com/log1", 7, 5, 3},
          LogSuccession{kStart, {"store.example.com/log1", 2, root}, "vkey", "note"},
          LogRepin{kStart, {"store.example.com/log1", 2, root}, "vkey", "root", "key lost"}};
}

void settle(Statement& statement) {
  auto& bundle = statement.bundle;
  count_runs(bundle.records, bundle.schedule);
  statement.subject = name_subjects(blobs_of_bundle(bundle));
}

Statement first_statement() {
  Statement statement;
  auto& bundle = statement.bundle;
  bundle.agent = {kAgent, "web-01.example.com", kMachine, "0.1.0", digest_of("vouchd")};
  bundle.prev = kNoPrev;
  bundle.period_from = kStart;
  bundle.period_to = bundle.sealed = kStart + kPeriodMs;
  bundle.boot_id = kBoot;
  bundle.boot_us = 1'000'000;
  bundle.clock_source = "chrony";
  bundle.clock_error_us = 310;
  bundle.config = digest_of("config");
  bundle.schedule.expected = 1;
  bundle.records = {observation(0)};
  bundle.next_due = bundle.sealed + 3'600'000;
  bundle.log_seen = LogSeen{"store.example.com/log1", 7, base64_encode(std::string(32, 'r')), "s"};
  bundle.enrolment = EnrolmentRef{6, digest_of("enrolment")};
  settle(statement);
  return statement;
}

Statement next_statement(const Statement& before) {
  Statement statement = before;
  auto& bundle = statement.bundle;
  bundle.seq += 1;
  bundle.prev = id_of(before);
  bundle.period_from = before.bundle.period_to;
  bundle.period_to = bundle.sealed = before.bundle.period_to + kPeriodMs;
  bundle.boot_us += kPeriodMs * 1000;
  bundle.next_due += kPeriodMs;
  bundle.enrolment.reset();
  bundle.records = {observation(bundle.seq)};
  bundle.schedule.carried = static_cast<std::int64_t>(before.bundle.schedule.open.size());
  bundle.schedule.open.clear();
  settle(statement);
  return statement;
}

std::string id_of(const Statement& statement) {
  return sha256_hex(dsse::pae(dsse::kPayloadType, *write_statement(statement)));
}

}  // namespace vouch::test
