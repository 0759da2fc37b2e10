// SPDX-License-Identifier: Apache-2.0
// Who owns what: files that another service of ours put in place, and a service's own directory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "core/result.h"

namespace vouch {

// A file that another user was to put there: regular, one link, owner `uid` or ourselves, at most
// `bytes_max`. Anything else is as if it were not there.
std::optional<std::string> read_untrusted(const std::string& path, uid_t uid,
                                          std::size_t bytes_max);
// Who owns the directory, and so may own what is in it; ourselves if it is not there.
uid_t owner_of(const std::string& directory);

// A command that root runs on a service's directory must leave nothing there that the service
// cannot use. If root runs this, and `directory` is there and another's, the process becomes that
// user and group, for good. Errc::not_found and everything else that hinders it is left to who
// opens it.
Status become_owner_of(const std::string& directory);

}  // namespace vouch
