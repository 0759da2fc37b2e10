// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/run_judge.h"

#include <map>

#include "core/digest.h"
#include "policies/engine/drift.h"
#include "proto/limits.h"
#include "proto/run_fields.h"

namespace vouch::agent {
namespace {

TableRef ref_of(std::string name, const TableBlob& blob) {
  TableRef ref;
  ref.name = std::move(name);
  ref.rows = blob.rows;
  ref.sha256 = blob.sha256;
  return ref;
}

TableRef error_of(std::string name, std::string code, std::string message) {
  TableRef ref;
  ref.name = std::move(name);
  ref.error = TableError{std::move(code), std::move(message)};
  return ref;
}

}  // namespace

Result<RunJudge> RunJudge::make(policy::PackSet packs, const std::vector<Collector>& collectors,
                                std::optional<TableBlob> waivers,
                                const std::vector<policy::Register>& registers) {
  RunJudge judge;
  for (const Collector& collector : collectors) {  // Of instances each may have other tables.
    auto done = policy::add_manifest(judge.catalog_, collector.manifest);
    if (!done) return std::move(done).error();
  }
  judge.pack_texts_ = packs.take_texts();
  std::size_t packs_bytes = 0;
  for (const auto& [sha256, text] : judge.pack_texts_) {
    judge.packs_in_force_[sha256] = static_cast<std::int64_t>(text.size());
    packs_bytes += text.size();
  }
  if (judge.pack_texts_.size() > kPacksInForceMax || packs_bytes > kPacksBytesMax) {
    return Error{Errc::invalid, "packs: over 400 files or 128 MiB, more than a bundle carries"};
  }
  const std::string set = packs.set_blob();
  judge.policy_ = sha256_hex(set);
  judge.blobs_[judge.policy_] = set;
  judge.packs_ = std::move(packs);

  if (auto done = judge.add_registers(registers); !done) return std::move(done).error();
  TableBlob columns;
  columns.bytes = policy::columns_blob(judge.catalog_.tables);
  columns.rows = static_cast<std::int64_t>(policy::count_rows(columns.bytes));
  columns.sha256 = sha256_hex(columns.bytes);
  judge.in_force_.push_back(ref_of("columns", columns));
  judge.blobs_[columns.sha256] = std::move(columns.bytes);
  if (waivers) {
    judge.waivers_ = ref_of("waivers", *waivers);
    judge.in_force_.push_back(*judge.waivers_);
    judge.blobs_[waivers->sha256] = waivers->bytes;
  }
  return judge;
}

// Their columns are declared like those of a collector's tables.
Status RunJudge::add_registers(const std::vector<policy::Register>& registers) {
  for (const policy::Register& each : registers) {
    in_force_.push_back(ref_of(each.schema.name, each.table));
    blobs_[each.table.sha256] = each.table.bytes;
    if (!catalog_.tables.emplace(each.schema.name, each.schema).second) {
      return Error{Errc::invalid, "register " + each.name + ": a collector has such a table"};
    }
  }
  auto table = policy::registers_table(registers);
  if (!table) return std::move(table).error();
  in_force_.push_back(ref_of("registers", *table));
  blobs_[table->sha256] = std::move(table->bytes);
  return Ok{};
}

// What differs between the approved baselines of the run's own tables and the tables. Nothing if
// there are no baselines. `made` gets the bytes.
Result<std::optional<TableRef>> RunJudge::find_drift(const Collector& collector, WallSeconds now,
                                                     const RunContent& content,
                                                     const History& history,
                                                     const BlobSource& source, Bytes& made) const {
  const std::string name = "drift";
  std::map<std::string, std::string> bytes;
  const auto read = [&](const TableRef& table) -> Result<std::string_view> {
    auto [blob, is_new] = bytes.try_emplace(table.sha256);
    if (!is_new || table.sha256 == kEmptyDigestHex) return std::string_view(blob->second);
    auto read_now = source.read(table.sha256);
    if (!read_now) return std::move(read_now).error();
    blob->second = *std::move(read_now);
    return std::string_view(blob->second);
  };
  std::vector<policy::DriftSource> sources;
  bool any = false;
  for (const TableRef& table : content.tables) {
    const Baseline* baseline = find_baseline(history.baselines, collector.name, table.name);
    if (baseline == nullptr) continue;
    any = true;
    if (table.error) continue;  // Then so are the checks that read it.
    auto before = read(baseline->table);
    if (!before)
      return std::optional(error_of(name, "other", "the agent's copy of a baseline is lost"));
    auto current = read(table);
    if (!current) return std::move(current).error();
    sources.push_back({collector.manifest.find(table.name), *before, *current});
  }
  if (!any) return std::optional<TableRef>();
  std::string_view previous;
  const TableRef* drift_before =
      history.before ? find_table(history.before->inputs, name) : nullptr;
  if (drift_before != nullptr && !drift_before->error) {
    // Lost: then what drifts is seen from now on.
    previous = read(*drift_before).value_or(std::string_view());
  }
  auto drift = policy::compute_drift(sources, previous, format_second(now));
  if (!drift) return std::move(drift).error().in(collector.name);
  TableBlob blob;
  blob.rows = static_cast<std::int64_t>(policy::count_rows(*drift));
  if (drift->size() > kBlobBytesMax || blob.rows > kTableRowsMax) {
    return std::optional(error_of(name, "too-large", "more changes than a table holds"));
  }
  blob.sha256 = sha256_hex(*drift);
  made[blob.sha256] = *std::move(drift);
  return std::optional(ref_of(name, blob));
}

// The engine's view of a content. An input that is lost or damaged on the disk is an error of the
// checks that read it, and of nothing else; a table of the run itself must be there.
Status RunJudge::read_tables(RunContent& content, const BlobSource& source, Bytes& bytes,
                             policy::EvaluationRequest& request) const {
  const auto add = [&](TableRef& table, bool may_be_lost, auto& list) -> Status {
    policy::TableInput input;
    input.name = table.name;
    input.run = table.run.value_or("");
    auto blob = bytes.find(table.sha256);
    if (!table.error && blob == bytes.end()) {
      const auto in_force = blobs_.find(table.sha256);
      auto read = table.sha256 == kEmptyDigestHex ? Result<std::string>(std::string())
                  : in_force != blobs_.end()      ? Result<std::string>(in_force->second)
                                                  : source.read(table.sha256);
      if (!read && !may_be_lost) return std::move(read).error();
      if (read) {
        blob = bytes.emplace(table.sha256, *std::move(read)).first;
      } else {
        table.error = TableError{"other", "the agent's copy of this table is lost"};
        table.rows = 0;
        table.sha256.clear();
      }
    }
    if (table.error) {
      input.error = table.error->code;
    } else {
      input.digest = table.sha256;
      input.blob = blob->second;
    }
    list.push_back(std::move(input));
    return Ok{};
  };
  for (TableRef& table : content.tables) {
    if (auto added = add(table, false, request.tables); !added) return added;
  }
  for (TableRef& table : content.inputs) {
    if (auto added = add(table, true, request.inputs); !added) return added;
  }
  return Ok{};
}

// All that a record with this content needs, but for what judging yields.
Result<BlobSizes> RunJudge::sizes_of(const RunContent& content, const BlobSource& source,
                                     const Bytes& made) const {
  BlobSizes sizes = packs_in_force_;
  for (const auto& [sha256, bytes] : made) sizes[sha256] = static_cast<std::int64_t>(bytes.size());
  for (const auto& [sha256, bytes] : blobs_) {
    sizes[sha256] = static_cast<std::int64_t>(bytes.size());
  }
  for (const auto* list : {&content.tables, &content.inputs}) {
    for (const TableRef& table : *list) {
      if (table.error || sizes.contains(table.sha256)) continue;
      if (table.sha256 == kEmptyDigestHex) continue;
      auto size = source.size(table.sha256);
      if (!size) return std::move(size).error();
      sizes[table.sha256] = *size;
    }
  }
  return sizes;
}

Result<Judged> RunJudge::judge(const Collector& collector, const CollectorRef& ran, WallSeconds now,
                               const std::vector<TableRef>& tables, const History& history,
                               const BlobSource& source) {
  Judged judged;
  RunContent& content = judged.content;
  content.collector = ran;
  content.tables = tables;
  content.policy = policy_;
  content.engine = policy::engine_string();
  const auto wanted = tables_read(packs_, collector.manifest);
  Bytes made;
  content.inputs = inputs_of(wanted, collector, now, history, in_force_);
  if (wanted.contains("drift")) {
    auto drift = find_drift(collector, now, content, history, source, made);
    if (!drift) return std::move(drift).error();
    if (*drift) add_input(content.inputs, **std::move(drift));
  }
  if (content.inputs.size() > kInputsMax) {
    return Error{Errc::too_large, "judge " + collector.name + ": over 1,024 inputs"};
  }
  for (;;) {  // Once, unless it is more than a bundle holds.
    auto sizes = sizes_of(content, source, made);
    if (!sizes) return std::move(sizes).error();
    if (fits_a_bundle(*sizes)) {
      policy::EvaluationRequest request;
      request.collector = collector.name;
      request.now = format_second(now);
      Bytes bytes = made;
      auto read = read_tables(content, source, bytes, request);
      if (!read) return std::move(read).error();
      auto evaluation = policy::evaluate(packs_, request, &memo_);
      if (!evaluation) return std::move(evaluation).error().in("judge " + collector.name);
      content.outcomes = {evaluation->outcomes_table.rows, evaluation->outcomes_table.sha256};
      judged.blobs = std::move(evaluation->findings);
      judged.blobs.insert(made.begin(), made.end());
      judged.blobs[content.outcomes.sha256] = std::move(evaluation->outcomes_table.bytes);
      for (const auto& [sha256, blob] : judged.blobs) {
        (*sizes)[sha256] = static_cast<std::int64_t>(blob.size());
      }
      if (fits_a_bundle(*sizes)) return judged;
    }
    if (!leave_out_largest(content, *sizes)) {
      return Error{Errc::too_large, "what " + collector.name + " yields does not fit a bundle"};
    }
  }
}

}  // namespace vouch::agent
