// SPDX-License-Identifier: Apache-2.0
// One question to the kernel over a netlink socket.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/result.h"

namespace vouch::kernel_rules {

// Sends one message and hands each answer's type and body to `take`, until the dump is done, an
// acknowledgement comes, or five seconds have passed without any. The Error is the kernel's
// (Errc::denied: the capability is missing).
using TakeAnswer = std::function<Status(std::uint16_t type, std::string_view body)>;
Status ask_kernel(int protocol, std::uint16_t type, std::uint16_t flags, std::string_view body,
                  const TakeAnswer& take);

// Calls `take(type, payload)` for each attribute of `bytes`, with the flags of nesting and byte
// order removed from the type. What is cut short ends the walk.
void each_attribute(std::string_view bytes,
                    const std::function<void(std::uint16_t, std::string_view)>& take);

}  // namespace vouch::kernel_rules
