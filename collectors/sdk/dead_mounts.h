// SPDX-License-Identifier: Apache-2.0
// File systems of other hosts and of programs that do not answer: any look at them would wait, it
// may be for ever. They are asked by children, so that one that hangs costs a deadline and no run.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/root.h"

namespace vouch::sdk {

// Mount points, on the host, of file systems that ask a network or a program, from the text of
// /proc/mounts.
std::vector<std::string> askable_mount_points(std::string_view mounts);

// Those of `paths` for which `ask`, in a child, did not return in time; what it says is no matter.
using Ask = void (*)(const std::string& path);
std::set<std::string> without_answer(const std::vector<std::string>& paths,
                                     std::chrono::milliseconds deadline, Ask ask);

// Asks the file systems below the root that can be dead, and has it avoid those that are.
void avoid_dead_mounts(Root& root, std::chrono::milliseconds deadline);

}  // namespace vouch::sdk
