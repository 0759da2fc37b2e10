// SPDX-License-Identifier: Apache-2.0
// What the store must find quickly: agents and the state of their chains, keys, bundles, blobs,
// enrol tokens, and the state of the log. It can be rebuilt from the files; nothing here is
// evidence. One SQLite file, one writer (the committer), any number of readers; one object per
// thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"
#include "proto/chain.h"

namespace vouch::store {

struct LogState {
  std::uint64_t size = 0;
  std::string root;  // 32 raw bytes.
  WallMs at = 0;     // Of the last entry.
};

enum class AgentState { active, forked, decommissioned, revoked };
std::string_view to_string(AgentState state);

struct Agent {
  ChainLink link;  // What its next bundle is checked against.
  AgentState state = AgentState::active;
  std::string host;  // As the agent calls itself.
  std::string version;
  std::string labels;      // Of its token: "k=v k=v".
  std::string keyid;       // Of the first key, with which it was enrolled.
  std::string token;       // Id of the token that enrolled it, 16 hex digits.
  std::uint64_t leaf = 0;  // Of its enrolment.
  WallMs enrolled_at = 0;
  WallMs last_at = 0;   // Receipt of the last bundle; 0: none yet.
  WallMs next_due = 0;  // As promised by the last bundle.
};

struct AgentKey {
  std::string agent;
  std::int64_t epoch = 0;
  std::string spki;  // DER.
  std::optional<std::int64_t> revoked_from;
};

struct BundleRow {
  std::string agent;
  std::int64_t seq = 0;
  std::string id;
  std::uint64_t leaf = 0;
};

enum class Role { agent, auditor };
std::string_view to_string(Role role);
Result<Role> parse_role(std::string_view text);

struct Token {
  std::string id;  // 16 hex digits, public.
  Role role = Role::agent;
  std::string secret;  // Agent: the secret itself (it keys a MAC). Auditor: its SHA-256.
  std::int64_t uses_left = 0;
  WallMs expires = 0;
  std::string labels;
  std::string by;  // Account.
};

// The latest observation of one collector on one host, for scorecards.
struct LatestRun {
  std::string agent;
  std::string collector;
  std::int64_t seq = 0;
  std::string run;
  WallSeconds now = 0;
  WallMs finished = 0;
  std::string outcomes;  // Digest of the outcomes table.
  std::string policy;    // Digest of the policy set.
};

// How punctual an agent is: what the log says of its silence.
struct Lateness {
  std::int64_t late = 0;                      // Bundles with a `late` leaf.
  std::optional<std::uint64_t> overdue_leaf;  // It is overdue, and this leaf says so.
};

// A log that this store's log succeeded. Leaves are numbered through all logs: index `i` of the log
// with `base` is number base + i; the current log begins after the last of these.
struct EarlierLog {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  std::string name;  // Its folder in logs/.
  std::string origin;
};

// Blobs of a bundle that will never come, by a `drop` leaf.
struct DropRow {
  std::string agent;
  std::int64_t seq = 0;
  std::string statement;  // SHA-256 of the notice; empty: an operator said so.
  std::uint64_t leaf = 0;
  std::vector<std::string> lost;  // Digests; empty: any of the bundle.

  [[nodiscard]] bool excuses(std::string_view sha256) const {
    return lost.empty() || std::find(lost.begin(), lost.end(), sha256) != lost.end();
  }
};

// What a command asks of the store that is serving; see store/orders.h.
struct OrderRow {
  std::int64_t id = 0;
  std::string body;
};

// A file that is promised but not yet synced at its place.
struct WaitingFile {
  std::int64_t id = 0;
  std::string name;
  std::string bytes;
  bool placed = false;  // It is at its place, and only not synced yet.
};

class Index {
 public:
  static Result<Index> open(const std::string& path);
  static Result<Index> open_read_only(const std::string& path);

  // Between BEGIN IMMEDIATE and COMMIT; an error rolls back.
  Status transaction(const std::function<Status()>& body) { return database_.transaction(body); }

  Result<LogState> log_state();
  Status set_log_state(const LogState& state);

  Result<std::vector<EarlierLog>> earlier_logs();  // The oldest first.
  Status add_earlier_log(const EarlierLog& log);   // `base` follows from those before.
  // The settings that hold once what was decided has been moved; see store/succeed.h.
  Result<std::optional<std::string>> pending_succession();
  Status set_pending_succession(const std::optional<std::string>& settings);

  Result<std::optional<Agent>> find_agent(std::string_view id);
  Result<std::vector<Agent>> agents();  // By host name, then id.
  Status add_agent(const Agent& agent);
  Status update_agent(const Agent& agent);

  Result<std::optional<AgentKey>> find_key(std::string_view keyid);
  Status add_key(std::string_view keyid, const AgentKey& key);
  Result<std::optional<std::string>> keyid_of_epoch(std::string_view agent, std::int64_t epoch);
  // Bundles from this seq on are refused; an earlier revocation stays.
  Status revoke_key(std::string_view keyid, std::int64_t from_seq);

  Result<std::optional<BundleRow>> find_bundle(std::string_view id);
  Result<std::optional<BundleRow>> find_bundle_at(std::string_view agent, std::int64_t seq);
  Status add_bundle(const BundleRow& row);

  Result<bool> fork_known(std::string_view id);
  Result<std::int64_t> fork_count(std::string_view agent);
  Status add_fork(const BundleRow& row);

  Result<bool> blob_known(std::string_view sha256);
  Status add_blob(std::string_view sha256, std::int64_t size_bytes);
  // The agent has once sent this blob (or had it accepted as empty), and it is still readable.
  Result<bool> possesses(std::string_view agent, std::string_view sha256);
  Status add_possession(std::string_view agent, std::string_view sha256);

  Result<std::int64_t> add_waiting_file(std::string_view name, std::string_view bytes);
  Result<std::vector<WaitingFile>> waiting_files();
  Result<std::optional<std::string>> waiting_file(std::string_view name);
  Status forget_waiting_files(std::int64_t through_id);

  Result<std::optional<Token>> find_token(std::string_view id);
  Status add_token(const Token& token);
  Status use_token(std::string_view id);
  Result<std::vector<Token>> tokens();  // Those that expire last first.
  Result<std::int64_t> agents_of_token(std::string_view id);
  // No further use; Errc::not_found if there is none.
  Status revoke_token(std::string_view id);

  Result<Lateness> lateness(std::string_view agent);
  Status set_lateness(std::string_view agent, const Lateness& lateness);
  // Active agents that promised a bundle by now - grace and have been silent as long, without an
  // `overdue` leaf yet; at most `count_max`.
  Result<std::vector<Agent>> silent_agents(WallMs now, WallMs grace_ms, std::int64_t count_max);

  Status add_drop(const DropRow& row);
  Result<std::vector<DropRow>> drops(std::string_view agent, std::int64_t seq);

  Result<std::int64_t> add_order(std::string_view body);
  Result<std::vector<OrderRow>> open_orders();
  Status answer_order(std::int64_t id, std::string_view answer);
  // The answer, which is then forgotten; nothing if there is none yet.
  Result<std::optional<std::string>> take_answer(std::int64_t id);
  // True if it was still open, and so was never carried out.
  Result<bool> withdraw_order(std::int64_t id);

  Status set_latest_run(const LatestRun& run);
  // Moves only the times: an unchanged run with the content of the one on record.
  Status touch_latest_run(const LatestRun& run);
  Result<std::vector<LatestRun>> latest_runs();

  Result<bool> account_known(std::string_view id);
  Status add_account(std::string_view id, std::string_view role, WallMs created);

 private:
  explicit Index(sqlite::Database database) : database_(std::move(database)) {}
  // The prepared statement of a literal, reset and ready to bind.
  Result<sqlite::Statement*> prepared(std::string_view sql);
  Result<std::optional<BundleRow>> bundle_row(Result<sqlite::Statement*> statement);
  Status bind_agent(std::string_view sql, const Agent& agent);

  sqlite::Database database_;  // Outlives statements_: declared first.
  std::map<std::string_view, sqlite::Statement> statements_;  // Keys are literals.
};

}  // namespace vouch::store
