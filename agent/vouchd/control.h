// SPDX-License-Identifier: Apache-2.0
// The control socket, <runtime_dir>/control.sock: how `vouch` talks to a running vouchd. One JSON
// object in one line each way, then the connection closes:
//
//   {"command":"status"}                              -> {"ok":true,"status":{…}}
//   {"command":"collect","collector":"patch_level"}   -> {"ok":true,"run":"patch_level/912+1"}
//   {"command":"seal"}                                -> {"ok":true}
//   {"command":"pause", …}, {"command":"resume", …}      (control_commands.h)
//   {"command":"alert-test","channel":"ops"}          -> {"ok":true,"n":17}
//   {"command":"alerts"}                              -> {"ok":true,"alerts":{…}}
//   {"command":"baselines"}                           -> {"ok":true,"baselines":[…]}
//   {"command":"approve-baseline","table":"users","collector":"…"?,"by":"…","ticket":"…"?,
//    "reason":"…"}                                    -> {"ok":true,"baseline":{…}}
//   {"command":"attachments"}                         -> {"ok":true,"attachments":[…]}
//   {"command":"attach","file":"…","sha256":"…","media_type":"…","title":"…","by":"…",
//    "controls":[…],"effective":"…"?,"expires":"…"?,"cadence_days":365?}
//                                                     -> {"ok":true,"attachment":{…}}
//   {"command":"rotate-key"}                          -> {"ok":true,"epoch":7}
//   anything that fails                               -> {"ok":false,"error":"…"}
//
// Whoever can open the socket may ask for the status; the rest is for root and the daemon's own
// user, as the kernel names the peer (SO_PEERCRED).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/file.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::agent {

inline constexpr std::size_t kControlLineBytesMax = 64u << 10;

// The client's side. Errc::not_found or unavailable: no daemon listens there. A reply with
// "ok":false is an error with its text.
Result<json::Value> control_request(const std::string& socket_path, const json::Value& request,
                                    std::chrono::milliseconds deadline);

// The daemon's side.
Result<Fd> listen_control(const std::string& socket_path);
// The user at the other end, if it may do more than look.
std::optional<uid_t> privileged_peer(int connection);

}  // namespace vouch::agent
