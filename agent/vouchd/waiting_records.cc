// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/waiting_records.h"

#include "core/digest.h"
#include "core/json.h"

namespace vouch::agent {
namespace {

constexpr const char* kCollectorColumns =
    "name, extra_tick, extra_count, content, content_digest, content_run, "
    "content_since, observed, failure, base_seq, base_run, base_digest, base_sealed";

// A content is kept as the observation that it would be at time 0.
std::string content_to_text(const RunContent& content) {
  Observation observation;
  observation.run = content.collector.name + "/0";
  observation.scheduled = 0;
  observation.started = 0;
  observation.duration_ms = 0;
  observation.content = content;
  return json::write(to_json(observation));
}

Result<RunContent> content_from_text(const std::string& text) {
  const Error corrupt{Errc::corrupt, "agent.db: a collector's last content is damaged"};
  const auto value = json::parse(text);
  if (!value) return corrupt;
  auto record = parse_record(*value);
  if (!record) return corrupt;
  const auto* observation = std::get_if<Observation>(&*record);
  if (observation == nullptr) return corrupt;
  const auto* content = std::get_if<RunContent>(&observation->content);
  if (content == nullptr) return corrupt;
  return *content;
}

Result<CollectorState> read_collector(const sqlite::Statement& row) {
  CollectorState state;
  state.name = row.text(0);
  state.extra_tick = row.integer(1);
  state.extra_count = row.integer(2);
  if (const std::string text = row.text(3); !text.empty()) {
    auto content = content_from_text(text);
    if (!content) return std::move(content).error();
    state.content = *std::move(content);
  }
  state.content_digest = row.text(4);
  state.content_run = row.text(5);
  state.content_since = row.integer(6);
  state.observed = row.integer(7);
  state.failure = row.text(8);
  state.base_seq = row.integer(9);
  state.base_run = row.text(10);
  state.base_digest = row.text(11);
  state.base_sealed = row.integer(12);
  return state;
}

}  // namespace

std::string content_digest_of(const RunContent& content) {
  return sha256_hex(content_to_text(content));
}

Status WaitingRecords::add(const WaitingRecord& record, const std::vector<std::string>& blobs) {
  const json::Value value = to_json(record.record);
  // A record that no reader takes would stop every seal after it.
  if (auto read = parse_record(value); !read) return std::move(read).error().in("record");
  auto insert = database_.prepare(
      "INSERT INTO waiting (record, due_ms, urgent, full, content_digest) VALUES (?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  const auto urgent = static_cast<std::int64_t>(record.urgent);
  const auto full = static_cast<std::int64_t>(record.full);
  insert->bind(1, json::write(value)).bind(2, record.due);
  insert->bind(3, urgent).bind(4, full).bind(5, record.content_digest);
  if (auto done = insert->run(); !done) return done;

  const std::int64_t id = database_.last_insert_rowid();
  auto refer = database_.prepare("INSERT OR IGNORE INTO waiting_blobs VALUES (?, ?)");
  if (!refer) return std::move(refer).error();
  for (const std::string& sha256 : blobs) {
    if (auto done = refer->bind(1, sha256).bind(2, id).run(); !done) return done;
  }
  return listener_ == nullptr ? Status(Ok{}) : listener_->on_record(record.record);
}

Result<std::vector<WaitingRecord>> WaitingRecords::list(std::size_t count_max) {
  auto select = database_.prepare(
      "SELECT id, record, due_ms, urgent, full, content_digest FROM waiting ORDER BY id LIMIT ?");
  if (!select) return std::move(select).error();
  select->bind(1, static_cast<std::int64_t>(count_max));
  std::vector<WaitingRecord> records;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return records;
    const auto value = json::parse(select->text(1));
    if (!value) return Error{Errc::corrupt, "agent.db: a waiting record is damaged"};
    auto record = parse_record(*value);
    if (!record) return std::move(record).error().in("agent.db: a waiting record");
    records.push_back({select->integer(0), *std::move(record), select->integer(2),
                       select->integer(3) != 0, select->integer(4) != 0, select->text(5)});
  }
}

Status WaitingRecords::remove(std::int64_t id) {
  for (const char* sql :
       {"DELETE FROM waiting WHERE id = ?", "DELETE FROM waiting_blobs WHERE id = ?"}) {
    auto remove = database_.prepare(sql);
    if (!remove) return std::move(remove).error();
    if (auto done = remove->bind(1, id).run(); !done) return done;
  }
  return Ok{};
}

Result<std::int64_t> WaitingRecords::count() {
  auto select = database_.prepare("SELECT count(*) FROM waiting");
  if (!select) return std::move(select).error();
  auto row = select->step();
  if (!row) return std::move(row).error();
  return select->integer(0);
}

Result<std::optional<WallMs>> WaitingRecords::urgent_due() {
  auto select = database_.prepare("SELECT min(due_ms) FROM waiting WHERE urgent = 1");
  if (!select) return std::move(select).error();
  auto row = select->step();
  if (!row) return std::move(row).error();
  if (!*row || select->is_null(0)) return std::optional<WallMs>();
  return std::optional(select->integer(0));
}

Result<CollectorState> WaitingRecords::collector(std::string_view name) {
  auto select = database_.prepare(std::string("SELECT ") + kCollectorColumns +
                                  " FROM collectors WHERE name = ?");
  if (!select) return std::move(select).error();
  auto row = select->bind(1, name).step();
  if (!row) return std::move(row).error();
  if (*row) return read_collector(*select);
  CollectorState state;
  state.name = name;
  return state;
}

Result<std::vector<CollectorState>> WaitingRecords::collectors() {
  auto select = database_.prepare(std::string("SELECT ") + kCollectorColumns + " FROM collectors");
  if (!select) return std::move(select).error();
  std::vector<CollectorState> states;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return states;
    auto state = read_collector(*select);
    if (!state) return std::move(state).error();
    states.push_back(*std::move(state));
  }
}

Status WaitingRecords::set_collector(const CollectorState& state) {
  auto insert =
      database_.prepare(std::string("INSERT OR REPLACE INTO collectors (") + kCollectorColumns +
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  const std::string content = state.content ? content_to_text(*state.content) : "";
  insert->bind(1, state.name).bind(2, state.extra_tick).bind(3, state.extra_count);
  insert->bind(4, content).bind(5, state.content_digest).bind(6, state.content_run);
  insert->bind(7, state.content_since).bind(8, state.observed).bind(9, state.failure);
  insert->bind(10, state.base_seq).bind(11, state.base_run);
  insert->bind(12, state.base_digest).bind(13, state.base_sealed);
  return insert->run();
}

Result<std::optional<CacheToken>> WaitingRecords::token(std::string_view collector,
                                                        std::string_view table) {
  auto select = database_.prepare(
      "SELECT token, sha256, rows, basis, full_at FROM tokens WHERE collector = ? AND name = ?");
  if (!select) return std::move(select).error();
  auto row = select->bind(1, collector).bind(2, table).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<CacheToken>();
  return std::optional(CacheToken{std::string(collector), std::string(table), select->text(0),
                                  select->text(1), select->integer(2), select->text(3),
                                  select->integer(4)});
}

Status WaitingRecords::set_token(const CacheToken& token) {
  auto insert = database_.prepare("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, token.collector).bind(2, token.table).bind(3, token.token);
  insert->bind(4, token.sha256).bind(5, token.rows).bind(6, token.basis).bind(7, token.full_at);
  return insert->run();
}

Status WaitingRecords::forget_token(std::string_view collector, std::string_view table) {
  auto remove = database_.prepare("DELETE FROM tokens WHERE collector = ? AND name = ?");
  if (!remove) return std::move(remove).error();
  return remove->bind(1, collector).bind(2, table).run();
}

Status WaitingRecords::forget_tokens(std::string_view collector) {
  auto remove = database_.prepare("DELETE FROM tokens WHERE collector = ?");
  if (!remove) return std::move(remove).error();
  return remove->bind(1, collector).run();
}

}  // namespace vouch::agent
