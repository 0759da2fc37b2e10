// SPDX-License-Identifier: Apache-2.0
// The collector special_files: files that lend privilege, and files that anybody may change or that
// nobody owns, found by one walk of all local file systems (docs/collectors/tables.md). It is a
// collector of its own and not a part of config_drift because of its pace: a walk takes a second of
// CPU time, once a day; an answer out of a cache would bear a time at which nobody looked.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::special_files {

sdk::Collector make_special_files();

}  // namespace vouch::special_files
