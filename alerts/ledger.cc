// SPDX-License-Identifier: Apache-2.0
#include "alerts/ledger.h"

#include "core/json.h"

namespace vouch::alerts {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS alert_state (key TEXT PRIMARY KEY, text TEXT NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_generation (one INTEGER PRIMARY KEY CHECK (one = 1),
  value INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO alert_generation VALUES (1, 0);
CREATE TABLE IF NOT EXISTS alerts (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL, type TEXT NOT NULL, summary TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped')),
  made INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (n) WHERE state = 'waiting';
)sql";

constexpr std::string_view kColumns =
    "n, channel, type, summary, state, made, sent, failed, message";

std::string summary_of(const Alert& alert) {
  if (alert.type == AlertType::test) return "a test";
  if (alert.type == AlertType::held) {
    return std::to_string(alert.held.firing + alert.held.resolved) + " held back";
  }
  const auto& first = alert.conditions.front();
  std::string text(to_string(first.status));
  text += ": " + first.condition.title;
  const std::size_t more = alert.conditions.size() - 1;
  if (more > 0) text += " (and " + std::to_string(more) + " more)";
  return (alert.repeat ? "still " : "") + text;
}

}  // namespace

Result<Ledger> Ledger::open(sqlite::Database& database) {
  if (auto made = database.execute(kSchema); !made) return std::move(made).error().in("alerts");
  return Ledger(database);
}

Result<std::int64_t> Ledger::generation() {
  auto statement = database_->prepare("SELECT value FROM alert_generation");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? statement->integer(0) : 0;
}

Status Ledger::load(State& state) {
  auto statement = database_->prepare("SELECT key, text FROM alert_state");
  if (!statement) return std::move(statement).error();
  for (;;) {
    auto row = statement->step();
    if (!row) return std::move(row).error();
    if (!*row) return Ok{};
    auto loaded = state.load(statement->text(0), statement->text(1));
    if (!loaded) return std::move(loaded).error().in("alerts");
  }
}

Status Ledger::save(const std::vector<Change>& changes, std::int64_t generation) {
  auto put = database_->prepare(
      "INSERT INTO alert_state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET text = excluded.text");
  if (!put) return std::move(put).error();
  auto remove = database_->prepare("DELETE FROM alert_state WHERE key = ?");
  if (!remove) return std::move(remove).error();
  for (const auto& [key, text] : changes) {
    auto done = text ? put->bind(1, key).bind(2, *text).run() : remove->bind(1, key).run();
    if (!done) return done;
  }
  auto count = database_->prepare("UPDATE alert_generation SET value = ?");
  if (!count) return std::move(count).error();
  return count->bind(1, generation).run();
}

Status Ledger::add(Alert alert) {
  auto insert =
      database_->prepare("INSERT INTO alerts (channel, type, summary, made) VALUES (?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  auto inserted = insert->bind(1, alert.channel)
                      .bind(2, to_string(alert.type))
                      .bind(3, summary_of(alert))
                      .bind(4, alert.made)
                      .run();
  if (!inserted) return inserted;
  alert.n = database_->last_insert_rowid();
  auto update = database_->prepare("UPDATE alerts SET text = ? WHERE n = ?");
  if (!update) return std::move(update).error();
  return update->bind(1, json::write(to_json(alert))).bind(2, alert.n).run();
}

Result<std::int64_t> Ledger::count_waiting() {
  auto statement = database_->prepare("SELECT count(*) FROM alerts WHERE state = 'waiting'");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? statement->integer(0) : 0;
}

Result<std::vector<AlertOnRecord>> Ledger::list(sqlite::Statement statement) {
  std::vector<AlertOnRecord> found;
  for (;;) {
    auto row = statement.step();
    if (!row) return std::move(row).error();
    if (!*row) return found;
    found.push_back({statement.integer(0), statement.text(1), statement.text(2), statement.text(3),
                     statement.text(4), statement.integer(5), statement.integer(6),
                     statement.integer(7), statement.text(8)});
  }
}

Result<std::vector<AlertOnRecord>> Ledger::waiting() {
  auto statement = database_->prepare("SELECT " + std::string(kColumns) +
                                      " FROM alerts WHERE state = 'waiting' ORDER BY n");
  if (!statement) return std::move(statement).error();
  return list(*std::move(statement));
}

Result<std::vector<AlertOnRecord>> Ledger::latest(std::int64_t at_most) {
  auto statement = database_->prepare("SELECT " + std::string(kColumns) +
                                      " FROM alerts ORDER BY n DESC LIMIT ?");
  if (!statement) return std::move(statement).error();
  statement->bind(1, at_most);
  return list(*std::move(statement));
}

Result<std::string> Ledger::text(std::int64_t n) {
  auto statement = database_->prepare("SELECT text FROM alerts WHERE n = ?");
  if (!statement) return std::move(statement).error();
  auto row = statement->bind(1, n).step();
  if (!row) return std::move(row).error();
  if (!*row) return Error{Errc::not_found, "no alert " + std::to_string(n)};
  return statement->text(0);
}

Status Ledger::set_sent(std::int64_t n, WallMs at) {
  auto statement = database_->prepare(
      "UPDATE alerts SET state = 'sent', sent = ?, text = '', message = '' WHERE n = ?");
  if (!statement) return std::move(statement).error();
  return statement->bind(1, at).bind(2, n).run();
}

Status Ledger::set_failed(std::int64_t n, WallMs at, std::string_view message) {
  auto statement = database_->prepare("UPDATE alerts SET failed = ?, message = ? WHERE n = ?");
  if (!statement) return std::move(statement).error();
  return statement->bind(1, at).bind(2, message).bind(3, n).run();
}

Status Ledger::set_dropped(std::int64_t n) {
  auto statement = database_->prepare("UPDATE alerts SET state = 'dropped', text = '' WHERE n = ?");
  if (!statement) return std::move(statement).error();
  return statement->bind(1, n).run();
}

Status Ledger::prune(WallMs now) {
  auto statement = database_->prepare(
      "DELETE FROM alerts WHERE state <> 'waiting' AND (made < ? OR n <= (SELECT max(n) FROM "
      "alerts) - ?)");
  if (!statement) return std::move(statement).error();
  return statement->bind(1, now - kAlertsOnRecordMs).bind(2, kAlertsOnRecordMax).run();
}

}  // namespace vouch::alerts
