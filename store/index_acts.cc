// SPDX-License-Identifier: Apache-2.0
// The part of the index about what people do and what they wait for: tokens, orders, revocations,
// drops, lateness; and of the logs that
// came before.
#include <sstream>

#include "store/index.h"

namespace vouch::store {

std::string_view to_string(Role role) {
  return role == Role::agent ? "agent" : "auditor";
}

Result<Role> parse_role(std::string_view text) {
  if (text == "agent") return Role::agent;
  if (text == "auditor") return Role::auditor;
  return Error{Errc::invalid, "role must be agent or auditor"};
}

namespace {

Result<Token> read_token(const sqlite::Statement& row) {
  auto role = parse_role(row.text(1));
  if (!role) return std::move(role).error();
  return Token{row.text(0),    *role,       row.text(2), row.integer(3),
               row.integer(4), row.text(5), row.text(6)};
}

}  // namespace

Result<std::optional<Token>> Index::find_token(std::string_view id) {
  auto select =
      prepared("SELECT id, role, secret, uses_left, expires, labels, by FROM tokens WHERE id = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<Token>();
  auto token = read_token(**select);
  (*select)->reset();
  if (!token) return std::move(token).error();
  return std::optional<Token>(*std::move(token));
}

Status Index::add_token(const Token& token) {
  auto insert = prepared("INSERT INTO tokens VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, token.id)
      .bind(2, to_string(token.role))
      .bind_blob(3, token.secret)
      .bind(4, token.uses_left)
      .bind(5, token.expires)
      .bind(6, token.labels)
      .bind(7, token.by)
      .run();
}

Status Index::use_token(std::string_view id) {
  auto update = prepared("UPDATE tokens SET uses_left = uses_left - 1 WHERE id = ?1");
  if (!update) return std::move(update).error();
  return (*update)->bind(1, id).run();
}

Result<std::vector<Token>> Index::tokens() {
  auto select = prepared(
      "SELECT id, role, secret, uses_left, expires, labels, by FROM tokens"
      " ORDER BY expires DESC, id");
  if (!select) return std::move(select).error();
  std::vector<Token> tokens;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) return tokens;
    auto token = read_token(**select);
    if (!token) return std::move(token).error();
    tokens.push_back(*std::move(token));
  }
}

Result<std::int64_t> Index::agents_of_token(std::string_view id) {
  auto select = prepared("SELECT count(*) FROM agents WHERE token = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  if (!row) return std::move(row).error();
  const auto count = (*select)->integer(0);
  (*select)->reset();
  return count;
}

Status Index::revoke_token(std::string_view id) {
  auto update = prepared("UPDATE tokens SET uses_left = 0, expires = 0 WHERE id = ?1");
  if (!update) return std::move(update).error();
  auto done = (*update)->bind(1, id).run();
  if (done && database_.changes() == 0) return Error{Errc::not_found, "no such token"};
  return done;
}

Result<std::optional<std::string>> Index::keyid_of_epoch(std::string_view agent,
                                                         std::int64_t epoch) {
  auto select = prepared("SELECT keyid FROM agent_keys WHERE agent = ?1 AND epoch = ?2");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, agent).bind(2, epoch).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<std::string>();
  std::string keyid = (*select)->text(0);
  (*select)->reset();
  return std::optional<std::string>(std::move(keyid));
}

Status Index::revoke_key(std::string_view keyid, std::int64_t from_seq) {
  auto update = prepared(
      "UPDATE agent_keys SET revoked_from = min(?2, coalesce(revoked_from, ?2)) WHERE keyid = ?1");
  if (!update) return std::move(update).error();
  return (*update)->bind(1, keyid).bind(2, from_seq).run();
}

Result<Lateness> Index::lateness(std::string_view agent) {
  auto select = prepared("SELECT late, overdue_leaf FROM lateness WHERE agent = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, agent).step();
  if (!row) return std::move(row).error();
  Lateness lateness;
  if (*row) {
    lateness.late = (*select)->integer(0);
    if (!(*select)->is_null(1)) {
      lateness.overdue_leaf = static_cast<std::uint64_t>((*select)->integer(1));
    }
  }
  (*select)->reset();
  return lateness;
}

Status Index::set_lateness(std::string_view agent, const Lateness& lateness) {
  auto insert = prepared("INSERT OR REPLACE INTO lateness VALUES(?1, ?2, ?3)");
  if (!insert) return std::move(insert).error();
  (*insert)->bind(1, agent).bind(2, lateness.late).bind_null(3);
  if (lateness.overdue_leaf) {
    (*insert)->bind(3, static_cast<std::int64_t>(*lateness.overdue_leaf));
  }
  return (*insert)->run();
}

Status Index::add_drop(const DropRow& row) {
  std::string lost;
  for (const auto& digest : row.lost) lost += (lost.empty() ? "" : " ") + digest;
  auto insert = prepared("INSERT INTO drops VALUES(?1, ?2, ?3, ?4, ?5)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, row.agent)
      .bind(2, row.seq)
      .bind(3, row.statement)
      .bind(4, static_cast<std::int64_t>(row.leaf))
      .bind(5, lost)
      .run();
}

Result<std::vector<DropRow>> Index::drops(std::string_view agent, std::int64_t seq) {
  auto select = prepared("SELECT statement, leaf, lost FROM drops WHERE agent = ?1 AND seq = ?2");
  if (!select) return std::move(select).error();
  (*select)->bind(1, agent).bind(2, seq);
  std::vector<DropRow> rows;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    DropRow drop{std::string(agent),
                 seq,
                 (*select)->text(0),
                 static_cast<std::uint64_t>((*select)->integer(1)),
                 {}};
    std::istringstream lost((*select)->text(2));
    for (std::string digest; lost >> digest;) drop.lost.push_back(digest);
    rows.push_back(std::move(drop));
  }
  (*select)->reset();
  return rows;
}

Result<std::int64_t> Index::add_order(std::string_view body) {
  auto insert = prepared("INSERT INTO orders(body) VALUES(?1)");
  if (!insert) return std::move(insert).error();
  auto added = (*insert)->bind(1, body).run();
  if (!added) return std::move(added).error();
  return database_.last_insert_rowid();
}

Result<std::vector<OrderRow>> Index::open_orders() {
  auto select = prepared("SELECT id, body FROM orders WHERE answer IS NULL ORDER BY id");
  if (!select) return std::move(select).error();
  std::vector<OrderRow> orders;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    orders.push_back({(*select)->integer(0), (*select)->text(1)});
  }
  (*select)->reset();
  return orders;
}

Status Index::answer_order(std::int64_t id, std::string_view answer) {
  auto update = prepared("UPDATE orders SET answer = ?2 WHERE id = ?1");
  if (!update) return std::move(update).error();
  return (*update)->bind(1, id).bind(2, answer).run();
}

Result<std::optional<std::string>> Index::take_answer(std::int64_t id) {
  auto select = prepared("SELECT answer FROM orders WHERE id = ?1 AND answer IS NOT NULL");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<std::string>();
  std::optional<std::string> answer = (*select)->text(0);
  (*select)->reset();
  auto remove = prepared("DELETE FROM orders WHERE id = ?1");
  if (!remove) return std::move(remove).error();
  auto removed = (*remove)->bind(1, id).run();
  if (!removed) return std::move(removed).error();
  return answer;
}

Result<bool> Index::withdraw_order(std::int64_t id) {
  auto remove = prepared("DELETE FROM orders WHERE id = ?1 AND answer IS NULL");
  if (!remove) return std::move(remove).error();
  auto removed = (*remove)->bind(1, id).run();
  if (!removed) return std::move(removed).error();
  return database_.changes() > 0;
}

Result<bool> Index::account_known(std::string_view id) {
  auto select = prepared("SELECT 1 FROM accounts WHERE id = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  (*select)->reset();
  return row;
}

Result<std::vector<EarlierLog>> Index::earlier_logs() {
  auto select = prepared("SELECT base, size, name, origin FROM earlier_logs ORDER BY rowid");
  if (!select) return std::move(select).error();
  std::vector<EarlierLog> logs;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    logs.push_back({static_cast<std::uint64_t>((*select)->integer(0)),
                    static_cast<std::uint64_t>((*select)->integer(1)), (*select)->text(2),
                    (*select)->text(3)});
  }
  (*select)->reset();
  return logs;
}

Status Index::add_earlier_log(const EarlierLog& log) {
  // An empty log still takes a number, so that no two begin with the same.
  auto insert = prepared(
      "INSERT INTO earlier_logs VALUES("
      "(SELECT coalesce(max(base + max(size, 1)), 0) FROM earlier_logs), ?1, ?2, ?3)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, static_cast<std::int64_t>(log.size))
      .bind(2, log.name)
      .bind(3, log.origin)
      .run();
}

Result<std::optional<std::string>> Index::pending_succession() {
  auto select = prepared("SELECT settings FROM pending_succession");
  if (!select) return std::move(select).error();
  auto row = (*select)->step();
  if (!row) return std::move(row).error();
  std::optional<std::string> settings;
  if (*row) settings = (*select)->text(0);
  (*select)->reset();
  return settings;
}

Status Index::set_pending_succession(const std::optional<std::string>& settings) {
  auto change = settings ? prepared("INSERT OR REPLACE INTO pending_succession VALUES(1, ?1)")
                         : prepared("DELETE FROM pending_succession");
  if (!change) return std::move(change).error();
  if (settings) (*change)->bind(1, *settings);
  return (*change)->run();
}

}  // namespace vouch::store
