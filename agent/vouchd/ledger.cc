// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/ledger.h"

#include <charconv>

#include "core/encoding.h"

namespace vouch::agent {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS manifests (digest TEXT PRIMARY KEY, text TEXT NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executables (path TEXT PRIMARY KEY, mark TEXT NOT NULL,
  digest TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pack_forms (digest TEXT PRIMARY KEY, executable TEXT NOT NULL,
  form TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  record TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  urgent INTEGER NOT NULL,
  full INTEGER NOT NULL,
  content_digest TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS waiting_blobs (sha256 TEXT NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (sha256, id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collectors (
  name TEXT PRIMARY KEY,
  extra_tick INTEGER NOT NULL DEFAULT 0,
  extra_count INTEGER NOT NULL DEFAULT 0,
  content TEXT NOT NULL DEFAULT '',
  content_digest TEXT NOT NULL DEFAULT '',
  content_run TEXT NOT NULL DEFAULT '',
  content_since INTEGER NOT NULL DEFAULT 0,
  observed INTEGER NOT NULL DEFAULT 0,
  failure TEXT NOT NULL DEFAULT '',
  base_seq INTEGER NOT NULL DEFAULT -1,
  base_run TEXT NOT NULL DEFAULT '',
  base_digest TEXT NOT NULL DEFAULT '',
  base_sealed INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
  collector TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
  sha256 TEXT NOT NULL, rows INTEGER NOT NULL, basis TEXT NOT NULL, full_at INTEGER NOT NULL,
  PRIMARY KEY (collector, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundles (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL, prev TEXT NOT NULL, keyid TEXT NOT NULL,
  epoch INTEGER NOT NULL, rotates INTEGER NOT NULL,
  sealed INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'kept', 'expired')),
  envelope BLOB NOT NULL,
  parcel_bytes INTEGER NOT NULL DEFAULT 0,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  behind_since INTEGER NOT NULL DEFAULT 0,
  receipt TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX IF NOT EXISTS bundles_state ON bundles (state, seq) WHERE state <> 'expired';
CREATE TABLE IF NOT EXISTS bundle_blobs (
  seq INTEGER NOT NULL, sha256 TEXT NOT NULL, in_parcel INTEGER NOT NULL,
  PRIMARY KEY (seq, sha256)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS bundle_blobs_sha256 ON bundle_blobs (sha256);
CREATE TABLE IF NOT EXISTS sent (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (seq INTEGER NOT NULL, status INTEGER NOT NULL,
  problem TEXT NOT NULL, PRIMARY KEY (seq, status)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS baselines (
  collector TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL,
  approved INTEGER NOT NULL, approved_by TEXT NOT NULL, ticket TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (collector, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attachments (file TEXT PRIMARY KEY, record TEXT NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost (seq INTEGER NOT NULL, sha256 TEXT NOT NULL,
  since INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (seq, sha256)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drops (seq INTEGER PRIMARY KEY, notice TEXT NOT NULL) STRICT;
)sql";

json::Value link_to_json(const ChainLink& link) {
  json::Array open;
  for (const std::string& run : link.open) open.push_back(run);
  json::Object object{
      {"agent", link.agent},         {"machine", link.machine}, {"next_seq", link.next_seq},
      {"prev", link.prev},           {"epoch", link.epoch},     {"spki", base64_encode(link.spki)},
      {"period_to", link.period_to}, {"sealed", link.sealed},   {"boot_id", link.boot_id},
      {"boot_us", link.boot_us},     {"open", std::move(open)}};
  if (link.log_seen) {
    object["log_seen"] = json::Object{{"origin", link.log_seen->origin},
                                      {"size", link.log_seen->size},
                                      {"root", link.log_seen->root},
                                      {"sig", link.log_seen->sig}};
  }
  return object;
}

// Reads members of our own JSON; the first that is missing makes the whole corrupt.
class Members {
 public:
  explicit Members(const json::Value& object) : object_(object) {}
  std::string text(std::string_view key) {
    auto value = json::get_string(object_, key);
    if (!value) good_ = false;
    return value.value_or("");
  }
  std::int64_t integer(std::string_view key) {
    auto value = json::get_integer(object_, key);
    if (!value) good_ = false;
    return value.value_or(0);
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const json::Value& object_;
  bool good_ = true;
};

LogSeen read_seen(const json::Value& value, bool& good) {
  Members members(value);
  LogSeen seen{members.text("origin"), members.integer("size"), members.text("root"),
               members.text("sig")};
  good = good && members.good();
  return seen;
}

Result<ChainHead> read_head(const std::string& text) {
  const Error corrupt{Errc::corrupt, "agent.db: the chain's head is damaged"};
  const auto value = json::parse(text);
  if (!value) return corrupt;
  Members members(*value);
  ChainHead head;
  ChainLink& link = head.link;
  link.agent = members.text("agent");
  link.machine = members.text("machine");
  link.next_seq = members.integer("next_seq");
  link.prev = members.text("prev");
  link.epoch = members.integer("epoch");
  const auto spki = base64_decode(members.text("spki"));
  link.period_to = members.integer("period_to");
  link.sealed = members.integer("sealed");
  link.boot_id = members.text("boot_id");
  link.boot_us = members.integer("boot_us");
  head.bundles_in_epoch = members.integer("bundles_in_epoch");
  head.epoch_since = members.integer("epoch_since");
  head.next_due = members.integer("next_due");
  const auto open = json::get_array(*value, "open");
  bool good = members.good() && spki && open;
  if (!good) return corrupt;
  link.spki = *spki;
  for (const json::Value& run : **open) {
    if (run.if_string() == nullptr) return corrupt;
    link.open.push_back(*run.if_string());
  }
  if (const json::Value* seen = value->find("log_seen")) link.log_seen = read_seen(*seen, good);
  if (!good) return corrupt;
  return head;
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& path) {
  auto database = sqlite::Database::open(path);
  if (!database) return std::move(database).error();
  if (auto whole = database->check(); !whole) return std::move(whole).error().in(path);
  if (auto made = database->execute(kSchema); !made) return std::move(made).error().in(path);
  return Ledger(*std::move(database));
}

Status Ledger::transaction(WallMs now, const std::function<Status()>& body) {
  return database_.transaction([&]() -> Status {
    if (auto done = body(); !done) return done;
    return set_integer(kLastCommit, now);
  });
}

Result<std::optional<std::string>> Ledger::get(std::string_view key) {
  auto statement = database_.prepare("SELECT value FROM meta WHERE key = ?");
  if (!statement) return std::move(statement).error();
  auto row = statement->bind(1, key).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<std::string>();
  return std::optional(statement->text(0));
}

Status Ledger::set(std::string_view key, std::string_view value) {
  auto statement = database_.prepare(
      "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  if (!statement) return std::move(statement).error();
  return statement->bind(1, key).bind(2, value).run();
}

Result<std::int64_t> Ledger::get_integer(std::string_view key, std::int64_t fallback) {
  auto text = get(key);
  if (!text) return std::move(text).error();
  if (!*text) return fallback;
  std::int64_t value = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto parsed = std::from_chars((*text)->data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return Error{Errc::corrupt, "agent.db: " + std::string(key) + " is no number"};
  }
  return value;
}

Status Ledger::set_integer(std::string_view key, std::int64_t value) {
  return set(key, std::to_string(value));
}

Result<std::optional<Identity>> Ledger::identity() {
  auto text = get("identity");
  if (!text) return std::move(text).error();
  if (!*text) return std::optional<Identity>();
  const auto value = json::parse(**text);
  if (!value) return Error{Errc::corrupt, "agent.db: the identity is damaged"};
  Members members(*value);
  Identity identity;
  identity.agent = members.text("agent");
  identity.machine = members.text("machine");
  identity.policy = members.text("policy");
  if (const json::Value* enrolment = value->find("enrolment")) {
    Members inner(*enrolment);
    identity.enrolment = EnrolmentRef{inner.integer("leaf_index"), inner.text("statement")};
    if (!inner.good()) return Error{Errc::corrupt, "agent.db: the enrolment is damaged"};
  }
  if (!members.good()) return Error{Errc::corrupt, "agent.db: the identity is damaged"};
  return std::optional(std::move(identity));
}

Status Ledger::set_identity(const Identity& identity) {
  json::Object object{
      {"agent", identity.agent}, {"machine", identity.machine}, {"policy", identity.policy}};
  if (identity.enrolment) {
    object["enrolment"] = json::Object{{"leaf_index", identity.enrolment->leaf_index},
                                       {"statement", identity.enrolment->statement}};
  }
  return set("identity", json::write(object));
}

Result<std::optional<ChainHead>> Ledger::chain_head() {
  auto text = get("chain_head");
  if (!text) return std::move(text).error();
  if (!*text) return std::optional<ChainHead>();
  auto head = read_head(**text);
  if (!head) return std::move(head).error();
  return std::optional(*std::move(head));
}

Status Ledger::set_chain_head(const ChainHead& head) {
  json::Value value = link_to_json(head.link);
  json::Object& object = *value.if_object();
  object["bundles_in_epoch"] = head.bundles_in_epoch;
  object["epoch_since"] = head.epoch_since;
  object["next_due"] = head.next_due;
  return set("chain_head", json::write(value));
}

Result<std::optional<AcceptedCheckpoint>> Ledger::accepted_checkpoint() {
  auto text = get("accepted_checkpoint");
  if (!text) return std::move(text).error();
  if (!*text) return std::optional<AcceptedCheckpoint>();
  const auto value = json::parse(**text);
  bool good = value.has_value();
  AcceptedCheckpoint checkpoint;
  if (good) {
    checkpoint.seen = read_seen(*value, good);
    Members members(*value);
    checkpoint.note = members.text("note");
    good = good && members.good();
  }
  if (!good) return Error{Errc::corrupt, "agent.db: the accepted checkpoint is damaged"};
  return std::optional(std::move(checkpoint));
}

Status Ledger::set_accepted_checkpoint(const AcceptedCheckpoint& checkpoint) {
  return set("accepted_checkpoint", json::write(json::Object{{"origin", checkpoint.seen.origin},
                                                             {"size", checkpoint.seen.size},
                                                             {"root", checkpoint.seen.root},
                                                             {"sig", checkpoint.seen.sig},
                                                             {"note", checkpoint.note}}));
}

std::optional<std::string> Ledger::find(std::string_view digest) {
  auto statement = database_.prepare("SELECT text FROM manifests WHERE digest = ?");
  if (!statement) return std::nullopt;
  const auto row = statement->bind(1, digest).step();
  if (!row || !*row) return std::nullopt;
  return statement->text(0);
}

void Ledger::keep(std::string_view digest, std::string_view manifest) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO manifests VALUES (?, ?)");
  if (!statement) return;
  // A manifest that is not kept is asked for again.
  [[maybe_unused]] const auto kept = statement->bind(1, digest).bind(2, manifest).run();
}

std::optional<std::string> Ledger::find_digest(const std::string& path, const FileMark& mark) {
  auto statement = database_.prepare("SELECT digest FROM executables WHERE path = ? AND mark = ?");
  if (!statement) return std::nullopt;
  const auto row = statement->bind(1, path).bind(2, mark.text()).step();
  if (!row || !*row) return std::nullopt;
  return statement->text(0);
}

void Ledger::keep_digest(const std::string& path, const FileMark& mark, std::string_view digest) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO executables VALUES (?, ?, ?)");
  if (!statement) return;
  // One that is not kept is computed again.
  [[maybe_unused]] const auto kept =
      statement->bind(1, path).bind(2, mark.text()).bind(3, digest).run();
}

std::optional<std::string> LedgerPackCache::find(std::string_view pack_digest) {
  auto statement =
      ledger_.database().prepare("SELECT form FROM pack_forms WHERE digest = ? AND executable = ?");
  if (!statement) return std::nullopt;
  const auto row = statement->bind(1, pack_digest).bind(2, executable_).step();
  if (!row || !*row) return std::nullopt;
  return statement->text(0);
}

void LedgerPackCache::keep(std::string_view pack_digest, std::string_view form) {
  auto& database = ledger_.database();
  // A pack that is not kept is read again.
  auto drop = database.prepare(
      "DELETE FROM pack_forms WHERE executable <> ?1 OR (SELECT count(*) FROM pack_forms) > ?2");
  auto insert = database.prepare("INSERT OR REPLACE INTO pack_forms VALUES (?, ?, ?)");
  if (!drop || !insert) return;
  if (!drop->bind(1, executable_).bind(2, kPackFormsMax).run()) return;
  [[maybe_unused]] const auto kept =
      insert->bind(1, pack_digest).bind(2, executable_).bind(3, form).run();
}

}  // namespace vouch::agent
