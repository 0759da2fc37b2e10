// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/baselines.h"

namespace vouch::agent {

Status Baselines::set(const ApprovedBaseline& baseline) {
  auto insert =
      database_.prepare("INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, baseline.collector).bind(2, baseline.table.name).bind(3, baseline.table.sha256);
  insert->bind(4, baseline.table.rows).bind(5, baseline.approved).bind(6, baseline.by);
  insert->bind(7, baseline.ticket).bind(8, baseline.reason);
  return insert->run();
}

Result<std::vector<ApprovedBaseline>> Baselines::list() {
  auto select = database_.prepare(
      "SELECT collector, name, sha256, rows, approved, approved_by, ticket, reason FROM baselines "
      "ORDER BY collector, name");
  if (!select) return std::move(select).error();
  std::vector<ApprovedBaseline> baselines;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return baselines;
    ApprovedBaseline baseline;
    baseline.collector = select->text(0);
    baseline.table.name = select->text(1);
    baseline.table.sha256 = select->text(2);
    baseline.table.rows = select->integer(3);
    baseline.approved = select->integer(4);
    baseline.by = select->text(5);
    baseline.ticket = select->text(6);
    baseline.reason = select->text(7);
    baselines.push_back(std::move(baseline));
  }
}

}  // namespace vouch::agent
