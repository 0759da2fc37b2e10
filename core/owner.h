// SPDX-License-Identifier: Apache-2.0
// A command that root runs on a service's directory must leave nothing there that the service
// cannot use.
#pragma once

#include <string>

#include "core/result.h"

namespace vouch {

// If root runs this, and `directory` is there and another's, the process becomes that user and
// group, for good. Errc::not_found and everything else that hinders it is left to who opens it.
Status become_owner_of(const std::string& directory);

}  // namespace vouch
