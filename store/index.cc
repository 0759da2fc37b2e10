// SPDX-License-Identifier: Apache-2.0
#include "store/index.h"

#include "store/link_json.h"

namespace vouch::store {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS log_state(
  id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT NULL,
  at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS earlier_logs(
  base INTEGER PRIMARY KEY, size INTEGER NOT NULL, name TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pending_succession(
  id INTEGER PRIMARY KEY CHECK (id = 1), settings TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accounts(
  id TEXT PRIMARY KEY, role TEXT NOT NULL, created INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens(
  id TEXT PRIMARY KEY, role TEXT NOT NULL, secret BLOB NOT NULL, uses_left INTEGER NOT NULL,
  expires INTEGER NOT NULL, labels TEXT NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agents(
  id TEXT PRIMARY KEY, link TEXT NOT NULL, state INTEGER NOT NULL, host TEXT NOT NULL,
  version TEXT NOT NULL, labels TEXT NOT NULL, keyid TEXT NOT NULL, token TEXT NOT NULL,
  leaf INTEGER NOT NULL, enrolled_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  next_due INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agent_keys(
  keyid TEXT PRIMARY KEY, agent TEXT NOT NULL, epoch INTEGER NOT NULL, spki BLOB NOT NULL,
  revoked_from INTEGER, UNIQUE (agent, epoch)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundles(
  leaf INTEGER PRIMARY KEY, agent TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
  UNIQUE (agent, seq)) STRICT;
CREATE TABLE IF NOT EXISTS forks(
  id TEXT PRIMARY KEY, agent TEXT NOT NULL, seq INTEGER NOT NULL, leaf INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs(
  sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS possessions(
  agent TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (agent, sha256)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting_files(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS waiting_files_by_name ON waiting_files(name);
CREATE TABLE IF NOT EXISTS lateness(
  agent TEXT PRIMARY KEY, late INTEGER NOT NULL, overdue_leaf INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drops(
  agent TEXT NOT NULL, seq INTEGER NOT NULL, statement TEXT NOT NULL, leaf INTEGER NOT NULL,
  lost TEXT NOT NULL, PRIMARY KEY (agent, seq, statement)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders(
  id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, answer TEXT) STRICT;
CREATE TABLE IF NOT EXISTS latest_runs(
  agent TEXT NOT NULL, collector TEXT NOT NULL, seq INTEGER NOT NULL, run TEXT NOT NULL,
  now INTEGER NOT NULL, finished INTEGER NOT NULL, outcomes TEXT NOT NULL, policy TEXT NOT NULL,
  PRIMARY KEY (agent, collector)) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kAgentColumns =
    "link, state, host, version, labels, keyid, token, leaf, enrolled_at, last_at, next_due";

Result<Agent> read_agent(const sqlite::Statement& row) {
  auto link = parse_link(row.text(0));
  if (!link) return std::move(link).error();
  Agent agent;
  agent.link = *std::move(link);
  agent.state = static_cast<AgentState>(row.integer(1));
  agent.host = row.text(2);
  agent.version = row.text(3);
  agent.labels = row.text(4);
  agent.keyid = row.text(5);
  agent.token = row.text(6);
  agent.leaf = static_cast<std::uint64_t>(row.integer(7));
  agent.enrolled_at = row.integer(8);
  agent.last_at = row.integer(9);
  agent.next_due = row.integer(10);
  return agent;
}

}  // namespace

std::string_view to_string(AgentState state) {
  switch (state) {
    case AgentState::active:
      return "active";
    case AgentState::forked:
      return "forked";
    case AgentState::decommissioned:
      return "decommissioned";
    case AgentState::revoked:
      return "revoked";
  }
  return "unknown";
}

Result<Index> Index::open(const std::string& path) {
  auto database = sqlite::Database::open(path);
  if (!database) return std::move(database).error();
  // Bundles come with digests for keys: each touches pages all over the index.
  auto made = database->execute(std::string("PRAGMA cache_size=-32768;") + kSchema);
  if (!made) return std::move(made).error().in(path);
  return Index(*std::move(database));
}

Result<Index> Index::open_read_only(const std::string& path) {
  auto database = sqlite::Database::open_read_only(path);
  if (!database) return std::move(database).error();
  return Index(*std::move(database));
}

Result<sqlite::Statement*> Index::prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    auto statement = database_.prepare(sql);
    if (!statement) return std::move(statement).error();
    found = statements_.emplace(sql, *std::move(statement)).first;
  }
  found->second.reset();
  return &found->second;
}

Result<LogState> Index::log_state() {
  auto select = prepared("SELECT size, root, at FROM log_state WHERE id = 1");
  if (!select) return std::move(select).error();
  auto row = (*select)->step();
  if (!row) return std::move(row).error();
  if (!*row) return Error{Errc::not_found, "the index has no log state"};
  LogState state{static_cast<std::uint64_t>((*select)->integer(0)), (*select)->text(1),
                 (*select)->integer(2)};
  (*select)->reset();  // An open read would hold back the log of the database.
  return state;
}

Status Index::set_log_state(const LogState& state) {
  auto insert = prepared("INSERT OR REPLACE INTO log_state VALUES(1, ?1, ?2, ?3)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, static_cast<std::int64_t>(state.size))
      .bind_blob(2, state.root)
      .bind(3, state.at)
      .run();
}

Result<std::optional<Agent>> Index::find_agent(std::string_view id) {
  static const std::string sql =
      "SELECT " + std::string(kAgentColumns) + " FROM agents WHERE id = ?1";
  auto select = prepared(sql);
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<Agent>();
  auto agent = read_agent(**select);
  (*select)->reset();
  if (!agent) return std::move(agent).error();
  return std::optional<Agent>(*std::move(agent));
}

namespace {

Result<std::vector<Agent>> read_agents(sqlite::Statement& select) {
  std::vector<Agent> agents;
  for (;;) {
    auto row = select.step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    auto agent = read_agent(select);
    if (!agent) return std::move(agent).error();
    agents.push_back(*std::move(agent));
  }
  select.reset();
  return agents;
}

}  // namespace

Result<std::vector<Agent>> Index::agents() {
  static const std::string sql =
      "SELECT " + std::string(kAgentColumns) + " FROM agents ORDER BY host, id";
  auto select = prepared(sql);
  if (!select) return std::move(select).error();
  return read_agents(**select);
}

Result<std::vector<Agent>> Index::silent_agents(WallMs now, WallMs grace_ms,
                                                std::int64_t count_max) {
  static const std::string sql =
      "SELECT " + std::string(kAgentColumns) +
      " FROM agents WHERE state = 0 AND next_due > 0 AND max(next_due, last_at) < ?1"
      " AND id NOT IN (SELECT agent FROM lateness WHERE overdue_leaf IS NOT NULL)"
      " ORDER BY id LIMIT ?2";
  auto select = prepared(sql);
  if (!select) return std::move(select).error();
  (*select)->bind(1, now - grace_ms).bind(2, count_max);
  return read_agents(**select);
}

Status Index::bind_agent(std::string_view sql, const Agent& agent) {
  auto statement = prepared(sql);
  if (!statement) return std::move(statement).error();
  return (*statement)
      ->bind(1, agent.link.agent)
      .bind(2, write_link(agent.link))
      .bind(3, static_cast<std::int64_t>(agent.state))
      .bind(4, agent.host)
      .bind(5, agent.version)
      .bind(6, agent.labels)
      .bind(7, agent.keyid)
      .bind(8, agent.token)
      .bind(9, static_cast<std::int64_t>(agent.leaf))
      .bind(10, agent.enrolled_at)
      .bind(11, agent.last_at)
      .bind(12, agent.next_due)
      .run();
}

Status Index::add_agent(const Agent& agent) {
  return bind_agent("INSERT INTO agents VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                    agent);
}

Status Index::update_agent(const Agent& agent) {
  return bind_agent(
      "UPDATE agents SET link = ?2, state = ?3, host = ?4, version = ?5, labels = ?6, keyid = ?7,"
      " token = ?8, leaf = ?9, enrolled_at = ?10, last_at = ?11, next_due = ?12 WHERE id = ?1",
      agent);
}

Result<std::optional<AgentKey>> Index::find_key(std::string_view keyid) {
  auto select =
      prepared("SELECT agent, epoch, spki, revoked_from FROM agent_keys WHERE keyid = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, keyid).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<AgentKey>();
  AgentKey key{(*select)->text(0), (*select)->integer(1), (*select)->text(2), std::nullopt};
  if (!(*select)->is_null(3)) key.revoked_from = (*select)->integer(3);
  (*select)->reset();
  return std::optional<AgentKey>(std::move(key));
}

Status Index::add_key(std::string_view keyid, const AgentKey& key) {
  auto insert = prepared("INSERT INTO agent_keys VALUES(?1, ?2, ?3, ?4, NULL)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, keyid)
      .bind(2, key.agent)
      .bind(3, key.epoch)
      .bind_blob(4, key.spki)
      .run();
}

Status Index::add_account(std::string_view id, std::string_view role, WallMs created) {
  auto insert = prepared("INSERT OR IGNORE INTO accounts VALUES(?1, ?2, ?3)");
  if (!insert) return std::move(insert).error();
  return (*insert)->bind(1, id).bind(2, role).bind(3, created).run();
}

}  // namespace vouch::store
