// SPDX-License-Identifier: Apache-2.0
// Mounts that a collector does not touch: looking at the root of a dead server's file system waits
// for ever, and at that of an automounter mounts it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "core/root.h"

namespace vouch::sdk {

// The mount point and the type of each line of the text of /proc/mounts.
void for_each_mount(std::string_view mounts,
                    const std::function<void(std::string, std::string_view)>& take);

// A file system that asks another host or a user's program for what it has.
bool is_askable_type(std::string_view type);

// Mount points of file systems that are remote, automatic, or the kernel's or a user's program's,
// from the text of /proc/mounts. `prefix` is the root's path ("" of the host); points outside of it
// are left out, the others are paths inside it.
std::set<std::string> foreign_mount_points(std::string_view mounts, std::string_view prefix);

// Those of the host and of this process's own mount namespace. Errc as reading /proc/self/mounts.
Result<std::set<std::string>> foreign_mounts(const Root& root);

}  // namespace vouch::sdk
