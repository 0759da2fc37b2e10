// SPDX-License-Identifier: Apache-2.0
// The functions behind backup_jobs' tables. The columns are declared in backup_jobs.cc, in the
// order of the cells here.
#pragma once

#include "core/result.h"

namespace vouch::sdk {
class Context;
class Rows;
}  // namespace vouch::sdk

namespace vouch::backup_jobs {

Status collect_systemd_timers(sdk::Context& context, sdk::Rows& rows);  // timer_table.cc
Status collect_backup_jobs(sdk::Context& context, sdk::Rows& rows);     // job_tables.cc
Status collect_backup_snapshots(sdk::Context& context, sdk::Rows& rows);
Status collect_backup_dumps(sdk::Context& context, sdk::Rows& rows);
Status collect_backup_alerts(sdk::Context& context, sdk::Rows& rows);
Status collect_backup_checks(sdk::Context& context, sdk::Rows& rows);        // check_table.cc
Status collect_backup_repositories(sdk::Context& context, sdk::Rows& rows);  // place_tables.cc
Status collect_backup_logs(sdk::Context& context, sdk::Rows& rows);
Status collect_backup_runs(sdk::Context& context, sdk::Rows& rows);

}  // namespace vouch::backup_jobs
