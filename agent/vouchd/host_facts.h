// SPDX-License-Identifier: Apache-2.0
// What a bundle says of the host itself: its name, machine, boot, and how far its clock is trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"

namespace vouch::agent {

struct ClockTrust {
  bool synced = false;
  std::string source = "none";
  std::optional<std::int64_t> error_us;
};

struct HostFacts {
  std::string host;
  std::string machine;  // derive_machine() of /etc/machine-id.
  std::string boot_id;
};

// `host` from the configuration, else gethostname(2). Fails if the machine has no machine-id: one
// chain has one machine. Then say `systemd-machine-id-setup`.
Result<HostFacts> read_host_facts(const std::string& host);

// What the kernel says (adjtimex(2)), and who keeps the clock.
ClockTrust read_clock_trust();

}  // namespace vouch::agent
