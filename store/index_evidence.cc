// SPDX-License-Identifier: Apache-2.0
// The part of the index about bundles, blobs, waiting files and latest runs.
#include "store/index.h"

namespace vouch::store {

Result<std::optional<BundleRow>> Index::bundle_row(Result<sqlite::Statement*> statement) {
  if (!statement) return std::move(statement).error();
  auto row = (*statement)->step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<BundleRow>();
  BundleRow found{(*statement)->text(0), (*statement)->integer(1), (*statement)->text(2),
                  static_cast<std::uint64_t>((*statement)->integer(3))};
  (*statement)->reset();
  return std::optional<BundleRow>(std::move(found));
}

Result<std::optional<BundleRow>> Index::find_bundle(std::string_view id) {
  auto select = prepared("SELECT agent, seq, id, leaf FROM bundles WHERE id = ?1");
  if (select) (*select)->bind(1, id);
  return bundle_row(std::move(select));
}

Result<std::optional<BundleRow>> Index::find_bundle_at(std::string_view agent, std::int64_t seq) {
  auto select = prepared("SELECT agent, seq, id, leaf FROM bundles WHERE agent = ?1 AND seq = ?2");
  if (select) (*select)->bind(1, agent).bind(2, seq);
  return bundle_row(std::move(select));
}

Status Index::add_bundle(const BundleRow& row) {
  auto insert = prepared("INSERT INTO bundles VALUES(?1, ?2, ?3, ?4)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, static_cast<std::int64_t>(row.leaf))
      .bind(2, row.agent)
      .bind(3, row.seq)
      .bind(4, row.id)
      .run();
}

Result<bool> Index::fork_known(std::string_view id) {
  auto select = prepared("SELECT 1 FROM forks WHERE id = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, id).step();
  (*select)->reset();
  return row;
}

Result<std::int64_t> Index::fork_count(std::string_view agent) {
  auto select = prepared("SELECT count(*) FROM forks WHERE agent = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, agent).step();
  if (!row) return std::move(row).error();
  const auto count = (*select)->integer(0);
  (*select)->reset();
  return count;
}

Status Index::add_fork(const BundleRow& row) {
  auto insert = prepared("INSERT INTO forks VALUES(?1, ?2, ?3, ?4)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, row.id)
      .bind(2, row.agent)
      .bind(3, row.seq)
      .bind(4, static_cast<std::int64_t>(row.leaf))
      .run();
}

Result<bool> Index::blob_known(std::string_view sha256) {
  auto select = prepared("SELECT 1 FROM blobs WHERE sha256 = ?1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, sha256).step();
  (*select)->reset();
  return row;
}

Status Index::add_blob(std::string_view sha256, std::int64_t size_bytes) {
  auto insert = prepared("INSERT OR IGNORE INTO blobs VALUES(?1, ?2)");
  if (!insert) return std::move(insert).error();
  return (*insert)->bind(1, sha256).bind(2, size_bytes).run();
}

Result<bool> Index::possesses(std::string_view agent, std::string_view sha256) {
  auto select = prepared(
      "SELECT 1 FROM possessions JOIN blobs USING (sha256) WHERE agent = ?1 AND sha256 = ?2");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, agent).bind(2, sha256).step();
  (*select)->reset();
  return row;
}

Status Index::add_possession(std::string_view agent, std::string_view sha256) {
  auto insert = prepared("INSERT OR IGNORE INTO possessions VALUES(?1, ?2)");
  if (!insert) return std::move(insert).error();
  return (*insert)->bind(1, agent).bind(2, sha256).run();
}

Result<std::int64_t> Index::add_waiting_file(std::string_view name, std::string_view bytes) {
  auto insert = prepared("INSERT INTO waiting_files(name, bytes) VALUES(?1, ?2)");
  if (!insert) return std::move(insert).error();
  auto added = (*insert)->bind(1, name).bind_blob(2, bytes).run();
  if (!added) return std::move(added).error();
  return database_.last_insert_rowid();
}

Result<std::vector<WaitingFile>> Index::waiting_files() {
  auto select = prepared("SELECT id, name, bytes FROM waiting_files ORDER BY id");
  if (!select) return std::move(select).error();
  std::vector<WaitingFile> files;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) return files;
    files.push_back({(*select)->integer(0), (*select)->text(1), (*select)->text(2), false});
  }
}

Result<std::optional<std::string>> Index::waiting_file(std::string_view name) {
  auto select =
      prepared("SELECT bytes FROM waiting_files WHERE name = ?1 ORDER BY id DESC LIMIT 1");
  if (!select) return std::move(select).error();
  auto row = (*select)->bind(1, name).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<std::string>();
  std::string bytes = (*select)->text(0);
  (*select)->reset();
  return std::optional<std::string>(std::move(bytes));
}

Status Index::forget_waiting_files(std::int64_t through_id) {
  auto remove = prepared("DELETE FROM waiting_files WHERE id <= ?1");
  if (!remove) return std::move(remove).error();
  return (*remove)->bind(1, through_id).run();
}

Status Index::set_latest_run(const LatestRun& run) {
  auto insert =
      prepared("INSERT OR REPLACE INTO latest_runs VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!insert) return std::move(insert).error();
  return (*insert)
      ->bind(1, run.agent)
      .bind(2, run.collector)
      .bind(3, run.seq)
      .bind(4, run.run)
      .bind(5, run.now)
      .bind(6, run.finished)
      .bind(7, run.outcomes)
      .bind(8, run.policy)
      .run();
}

Status Index::touch_latest_run(const LatestRun& run) {
  auto update = prepared(
      "UPDATE latest_runs SET now = ?3, finished = ?4 WHERE agent = ?1 AND collector = ?2");
  if (!update) return std::move(update).error();
  return (*update)
      ->bind(1, run.agent)
      .bind(2, run.collector)
      .bind(3, run.now)
      .bind(4, run.finished)
      .run();
}

Result<std::vector<LatestRun>> Index::latest_runs() {
  auto select = prepared(
      "SELECT agent, collector, seq, run, now, finished, outcomes, policy FROM latest_runs"
      " ORDER BY agent, collector");
  if (!select) return std::move(select).error();
  std::vector<LatestRun> runs;
  for (;;) {
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) return runs;
    runs.push_back({(*select)->text(0), (*select)->text(1), (*select)->integer(2),
                    (*select)->text(3), (*select)->integer(4), (*select)->integer(5),
                    (*select)->text(6), (*select)->text(7)});
  }
}

}  // namespace vouch::store
