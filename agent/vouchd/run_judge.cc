// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/run_judge.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/digest.h"
#include "proto/run_fields.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kPrevious = "previous_";
constexpr std::string_view kGaps = "gaps";

const TableRef* find_table(const RunContent& content, std::string_view name) {
  for (const TableRef& table : content.tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

// The tables that the checks judged by this collector declare.
std::set<std::string> tables_read(const policy::PackSet& packs, const Manifest& manifest) {
  std::set<std::string> names;
  for (const policy::Check* check : packs.checks()) {
    if (check->tables.empty() || manifest.find(check->tables.front()) == nullptr) continue;
    names.insert(check->tables.begin(), check->tables.end());
  }
  return names;
}

// T of the run before; empty if there was none.
TableRef previous_of(std::string_view table, const RunContent* before) {
  TableRef input;
  const TableRef* found = before == nullptr ? nullptr : find_table(*before, table);
  if (found != nullptr) {
    input = *found;
    input.unchanged = false;
  } else {
    input.sha256 = kEmptyDigestHex;
  }
  input.name = std::string(kPrevious) + std::string(table);
  return input;
}

}  // namespace

Result<RunJudge> RunJudge::make(policy::PackSet packs, const std::vector<Collector>& collectors,
                                std::optional<TableBlob> waivers) {
  RunJudge judge;
  std::set<std::string> added;  // Instances share one manifest.
  for (const Collector& collector : collectors) {
    if (!added.insert(collector.manifest.name).second) continue;
    auto done = policy::add_manifest(judge.catalog_, collector.manifest);
    if (!done) return std::move(done).error();
  }
  std::size_t packs_bytes = 0;
  for (const policy::Pack& pack : packs.packs()) {
    judge.blobs_[pack.digest] = pack.text;
    packs_bytes += pack.text.size();
  }
  if (packs.packs().size() > kPacksInForceMax || packs_bytes > kPacksBytesMax) {
    return Error{Errc::invalid, "packs: over 400 files or 128 MiB, more than a bundle carries"};
  }
  const std::string set = packs.set_blob();
  judge.policy_ = sha256_hex(set);
  judge.blobs_[judge.policy_] = set;
  packs.drop_texts();
  judge.packs_ = std::move(packs);

  const std::string columns = policy::columns_blob(judge.catalog_.tables);
  judge.columns_.name = "columns";
  judge.columns_.rows = static_cast<std::int64_t>(policy::count_rows(columns));
  judge.columns_.sha256 = sha256_hex(columns);
  judge.blobs_[judge.columns_.sha256] = columns;
  if (waivers) {
    TableRef ref;
    ref.name = "waivers";
    ref.rows = waivers->rows;
    ref.sha256 = waivers->sha256;
    judge.waivers_ = ref;
    judge.blobs_[waivers->sha256] = waivers->bytes;
  }
  return judge;
}

std::vector<TableRef> RunJudge::inputs_of(const Collector& collector, WallSeconds now,
                                          const std::optional<RunContent>& before,
                                          const std::vector<Observed>& others) const {
  std::vector<TableRef> inputs{columns_};
  if (waivers_) inputs.push_back(*waivers_);
  std::set<std::string> runs_read;
  const auto add_run = [&](const Observed& other, std::string_view table) {
    const TableRef* found = find_table(*other.content, table);
    if (found == nullptr) return;
    TableRef input = *found;
    input.unchanged = false;
    input.run = other.run;
    inputs.push_back(std::move(input));
  };
  for (const std::string& name : tables_read(packs_, collector.manifest)) {
    if (name.starts_with(kPrevious)) {
      const auto table = std::string_view(name).substr(kPrevious.size());
      const RunContent* content = before ? &*before : nullptr;
      for (const Observed& other : others) {
        if (collector.manifest.find(table) == nullptr && find_table(*other.content, table)) {
          content = other.content;
        }
      }
      inputs.push_back(previous_of(table, content));
      continue;
    }
    if (name == kGaps) continue;
    // Other collectors have the table, or other instances of this one: then it is the union.
    for (const Observed& other : others) {
      const bool fresh = now * 1000 - other.at <= kInputAgeMsMax;
      if (!fresh || find_table(*other.content, name) == nullptr) continue;
      add_run(other, name);
      if (runs_read.insert(other.run).second) add_run(other, kGaps);
    }
  }
  std::sort(inputs.begin(), inputs.end(), [](const TableRef& a, const TableRef& b) {
    return std::tie(a.name, a.run) < std::tie(b.name, b.run);
  });
  return inputs;
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
Result<BlobSizes> RunJudge::sizes_of(const RunContent& content, const BlobSource& source) const {
  BlobSizes sizes;
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
                               const std::vector<TableRef>& tables,
                               const std::optional<RunContent>& before,
                               const std::vector<Observed>& others, const BlobSource& source) {
  Judged judged;
  RunContent& content = judged.content;
  content.collector = ran;
  content.tables = tables;
  content.inputs = inputs_of(collector, now, before, others);
  content.policy = policy_;
  content.engine = policy::engine_string();
  if (content.inputs.size() > kInputsMax) {
    return Error{Errc::too_large, "judge " + collector.name + ": over 1,024 inputs"};
  }
  for (;;) {  // Once, unless it is more than a bundle holds.
    auto sizes = sizes_of(content, source);
    if (!sizes) return std::move(sizes).error();
    if (fits_a_bundle(*sizes)) {
      policy::EvaluationRequest request;
      request.collector = collector.name;
      request.now = format_second(now);
      Bytes bytes;
      auto read = read_tables(content, source, bytes, request);
      if (!read) return std::move(read).error();
      auto evaluation = policy::evaluate(packs_, request, &memo_);
      if (!evaluation) return std::move(evaluation).error().in("judge " + collector.name);
      content.outcomes = {evaluation->outcomes_table.rows, evaluation->outcomes_table.sha256};
      judged.blobs = std::move(evaluation->findings);
      judged.blobs[content.outcomes.sha256] = std::move(evaluation->outcomes_table.bytes);
      for (const auto& [sha256, made] : judged.blobs) {
        (*sizes)[sha256] = static_cast<std::int64_t>(made.size());
      }
      if (fits_a_bundle(*sizes)) return judged;
    }
    if (!leave_out_largest(content, *sizes)) {
      return Error{Errc::too_large, "what " + collector.name + " yields does not fit a bundle"};
    }
  }
}

}  // namespace vouch::agent
