// SPDX-License-Identifier: Apache-2.0
// Secrets that are shown to a server, each in a file of its own: read when they are used, by the
// process that has the network alone.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

// `file` is an absolute path, or the name of a credential in $CREDENTIALS_DIRECTORY. White space at
// the ends is not part of the secret. Errc::denied: others can read or write the file. The error
// names the file, never what is in it.
Result<std::string> read_secret(std::string_view file);

}  // namespace vouch
