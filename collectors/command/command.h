// SPDX-License-Identifier: Apache-2.0
// The collector `command`: programs of the site's own, each printing the rows of one table that the
// site declares (docs/collectors/declared.md). No shell.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::command {

sdk::Collector make_command();

}  // namespace vouch::command
