// SPDX-License-Identifier: Apache-2.0
// Judges one run: gathers what the checks of a collector read (its own tables, those of other
// runs, the runs before, baselines, drift, registers, waivers) and has the policy engine judge it.
// All that was read is named in the record by digest, so the verdict can be replayed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/vouchd/collector.h"
#include "agent/vouchd/judge_inputs.h"
#include "agent/vouchd/record_fit.h"
#include "core/clock.h"
#include "core/result.h"
#include "policies/engine/catalog.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/pack.h"
#include "policies/engine/register.h"
#include "proto/record.h"

namespace vouch::agent {

// Where the bytes of a blob come from, and how many they are without reading them.
struct BlobSource {
  std::function<Result<std::string>(std::string_view sha256)> read;
  std::function<Result<std::int64_t>(std::string_view sha256)> size;
};

struct Judged {
  RunContent content;
  std::map<std::string, std::string> blobs;  // New ones by digest: outcomes and findings.
};

class RunJudge {
 public:
  // `waivers` is the blob of the waivers table; nothing if no file is configured.
  static Result<RunJudge> make(policy::PackSet packs, const std::vector<Collector>& collectors,
                               std::optional<TableBlob> waivers,
                               const std::vector<policy::Register>& registers = {});

  // What is in force, besides the packs themselves: policy set, columns, waivers, registers, by
  // digest. They must be kept as long as records name them.
  [[nodiscard]] const std::map<std::string, std::string>& blobs() const { return blobs_; }
  [[nodiscard]] const BlobSizes& packs_in_force() const { return packs_in_force_; }
  // The packs' own texts, once: whoever keeps blobs puts them there. Here they would only be in
  // memory.
  std::map<std::string, std::string> take_pack_texts() { return std::exchange(pack_texts_, {}); }
  [[nodiscard]] const std::string& policy() const { return policy_; }
  [[nodiscard]] const policy::PackSet& packs() const { return packs_; }
  [[nodiscard]] const std::optional<TableRef>& waivers() const { return waivers_; }

  // Kept by the agent from one start to the next.
  [[nodiscard]] policy::Memo& memo() { return memo_; }

  // `tables` are those of the run, in its order. What is too large for a bundle is left out of the
  // content (record_fit.h); Errc::too_large if even that does not help.
  Result<Judged> judge(const Collector& collector, const CollectorRef& ran, WallSeconds now,
                       const std::vector<TableRef>& tables, const History& history,
                       const BlobSource& source);

 private:
  using Bytes = std::map<std::string, std::string>;  // By digest.
  RunJudge() = default;
  Status add_registers(const std::vector<policy::Register>& registers);
  Status read_tables(RunContent& content, const BlobSource& source, Bytes& bytes,
                     policy::EvaluationRequest& request) const;
  [[nodiscard]] Result<BlobSizes> sizes_of(const RunContent& content, const BlobSource& source,
                                           const Bytes& made) const;
  Result<std::optional<TableRef>> find_drift(const Collector& collector, WallSeconds now,
                                             const RunContent& content, const History& history,
                                             const BlobSource& source, Bytes& made) const;

  policy::PackSet packs_;
  policy::Catalog catalog_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::string> pack_texts_;
  BlobSizes packs_in_force_;
  std::string policy_;
  std::optional<TableRef> waivers_;
  std::vector<TableRef> in_force_;  // Inputs that no run yields: columns, waivers, registers.
  policy::Memo memo_;
};

}  // namespace vouch::agent
