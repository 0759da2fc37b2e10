// SPDX-License-Identifier: Apache-2.0
// What the control socket can be told to do (control.h), by root and the daemon's user:
//
//   {"command":"collect","collector":"patch_level"}   -> {"ok":true,"run":"patch_level/912+1"}
//   {"command":"seal"}                                -> {"ok":true}
//   {"command":"pause","collector":"patch_level","seconds":7200,"reason":"…"}
//                                                     -> {"ok":true,"until":"2026-11-21T21:30:00Z"}
//   {"command":"resume","collector":"patch_level"}    -> {"ok":true}
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/vouchd/agent.h"
#include "core/json.h"

namespace vouch::agent {

// `peer`: who asks, as the kernel says; the record of a pause names that user.
json::Value serve_command(Agent& agent, const json::Value& request, uid_t peer);

// "root (uid 0)": as a record names somebody of this host.
std::string name_of_user(uid_t uid);

}  // namespace vouch::agent
