// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/memo.h"

#include <functional>
#include <optional>
#include <utility>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"

namespace vouch::policy {
namespace {

bool is_judged(OutcomeKind kind) {
  return kind == OutcomeKind::pass || kind == OutcomeKind::fail;
}

// [key, outcome, message, findings, violations]
json::Value to_json(const std::string& key, const Judgement& judgement) {
  return json::Array{hex_encode(key), to_string(judgement.kind), judgement.message,
                     judgement.findings, judgement.violations};
}

std::optional<std::pair<std::string, Judgement>> from_json(const json::Value& value) {
  const auto* cells = value.if_array();
  if (cells == nullptr || cells->size() != 5) return std::nullopt;
  const auto* key_text = (*cells)[0].if_string();
  const auto* kind_text = (*cells)[1].if_string();
  const auto* message = (*cells)[2].if_string();
  const auto* findings = (*cells)[3].if_string();
  const auto* violations = (*cells)[4].if_integer();
  if (!key_text || !kind_text || !message || !findings || !violations) return std::nullopt;
  auto key = hex_decode(*key_text);
  auto kind = parse_outcome_kind(*kind_text);
  if (!key || !kind || *kind == OutcomeKind::waived) return std::nullopt;
  Judgement judgement;
  judgement.kind = *kind;
  judgement.message = *message;
  judgement.findings = *findings;
  if (is_judged(*kind)) judgement.findings_digest = sha256_hex(*findings);
  judgement.violations = *violations;
  return std::pair(*std::move(key), std::move(judgement));
}

}  // namespace

std::string Memo::write() const {
  json::Object collectors;
  std::size_t kept = 0;
  for (const auto& [collector, judgements] : by_collector_) {
    json::Array list;
    for (const auto& [key, judgement] : judgements) {
      const std::size_t bytes = judgement.findings.size();
      if (bytes > kKeptFindingsBytesMax || kept + bytes > kKeptMemoBytesMax) continue;
      kept += bytes;
      list.push_back(to_json(key, judgement));
    }
    collectors.emplace(collector, std::move(list));
  }
  return json::write(std::move(collectors));
}

void Memo::restore(std::string_view form) {
  auto value = json::parse(form);
  const auto* collectors = value ? value->if_object() : nullptr;
  if (collectors == nullptr) return;
  for (const auto& [collector, list] : *collectors) {
    const auto* rows = list.if_array();
    if (rows == nullptr) continue;
    for (const auto& row : *rows) {
      if (auto read = from_json(row)) by_collector_[collector].insert(*std::move(read));
    }
  }
}

}  // namespace vouch::policy
