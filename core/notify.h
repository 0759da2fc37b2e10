// SPDX-License-Identifier: Apache-2.0
// What a service tells its service manager: the protocol of sd_notify(3), without the library.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vouch {

// Sends `state` ("READY=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…", "WATCHDOG=1") to
// NOTIFY_SOCKET. Without a service manager, or if it does not listen, nothing happens: nothing of
// ours depends on it.
void notify_manager(std::string_view state);

// How often at least it wants WATCHDOG=1 (WATCHDOG_USEC), if it does, of this process.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace vouch
