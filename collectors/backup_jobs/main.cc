// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/backup_jobs.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::backup_jobs::make_backup_jobs(), argc, argv);
}
