// SPDX-License-Identifier: Apache-2.0
// File capabilities (capabilities(7)): the value of the attribute security.capability.
#pragma once

#include <string>
#include <string_view>

namespace vouch::special_files {

// "cap_net_raw=ep", as getcap(8) prints it; several groups are separated by blanks. "invalid" if
// the value is none: it is there, and the kernel makes something of it or refuses to run the file.
std::string file_capabilities_text(std::string_view attribute);

}  // namespace vouch::special_files
