// SPDX-License-Identifier: Apache-2.0
// Programs that still run with libraries, or as executables, that an update replaced. A collector
// of its own, since looking into other users' processes needs CAP_SYS_PTRACE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/sdk/manifest.h"

namespace vouch::deleted_libraries {

sdk::Collector make_deleted_libraries();

// Paths of executable mappings in /proc/PID/maps whose file is gone: shared libraries, and
// `executable` itself. What programs map and unlink on purpose (shared memory, memfd, generated
// code) is none. Sorted, each once.
std::vector<std::string> deleted_files(std::string_view maps, std::string_view executable);

// "ssh.service" of /proc/PID/cgroup; empty if the process belongs to no unit.
std::string unit_of_cgroup(std::string_view text);

}  // namespace vouch::deleted_libraries
