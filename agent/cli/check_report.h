// SPDX-License-Identifier: Apache-2.0
// What `vouch check` found, as text and as JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/cli/live.h"
#include "core/json.h"
#include "core/text_table.h"
#include "policies/engine/pack.h"
#include "policies/engine/scorecard.h"
#include "proto/outcomes.h"

namespace vouch::cli {

struct CheckReport {
  const policy::PackSet* packs = nullptr;
  const Live* live = nullptr;
  std::vector<Outcome> outcomes;
  std::map<std::string, std::string> findings;  // Blobs by digest.
  // The columns of a check's findings, in the order of its query.
  std::map<std::string, std::vector<std::string>> columns;
  std::vector<const policy::Check*> not_judged;  // No collector here has their first table.
  std::vector<policy::Scorecard> scorecards;
  std::string host;
  std::string root;
  bool all = false;  // Also what passes, all criteria, all findings.
};

std::string report_as_text(const CheckReport& report, const TerminalStyle& style);
json::Value report_as_json(const CheckReport& report);
// 0 pass, 1 fail, 2 could not judge. A claimed waiver keeps its check from failing the command; it
// is counted in the text.
int report_exit_code(const CheckReport& report);

std::string scorecard_as_text(const policy::Scorecard& card, bool all, const TerminalStyle& style);

}  // namespace vouch::cli
