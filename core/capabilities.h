// SPDX-License-Identifier: Apache-2.0
// Linux capabilities (capabilities(7)) as a mask of 64 bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vouch {

// CapEff of the calling thread; 0 if the kernel does not say.
std::uint64_t effective_capabilities();
// True if `name` ("CAP_DAC_READ_SEARCH") is in `capabilities`. A name that is not known never is.
bool has_capability(std::uint64_t capabilities, std::string_view name);

// "cap_net_raw", as getcap(8) prints it; the number itself if it is not known.
std::string capability_name(int number);

}  // namespace vouch
