// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/host_facts.h"

#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/file.h"
#include "proto/chain.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kSmallFileBytesMax = 4096;
constexpr std::size_t kHostNameBytesMax = 256;

Result<std::string> first_line(const std::string& path) {
  auto text = read_file(path, kSmallFileBytesMax);
  if (!text) return text;
  return text->substr(0, text->find('\n'));
}

std::string clock_keeper() {
  if (file_exists("/run/chrony/chronyd.pid")) return "chrony";
  if (file_exists("/run/systemd/timesync/synchronized")) return "systemd-timesyncd";
  if (file_exists("/run/ntpd.pid")) return "ntpd";
  return "kernel";
}

}  // namespace

Result<HostFacts> read_host_facts(const std::string& host) {
  HostFacts facts;
  facts.host = host;
  if (facts.host.empty()) {
    std::array<char, kHostNameBytesMax> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return errno_error("gethostname", errno);
    facts.host = name.data();
  }
  auto id = first_line("/etc/machine-id");
  if (!id) return std::move(id).error().in("machine id (systemd-machine-id-setup makes one)");
  auto machine = derive_machine(*id);
  if (!machine) return std::move(machine).error().in("/etc/machine-id");
  facts.machine = *std::move(machine);
  auto boot = first_line("/proc/sys/kernel/random/boot_id");
  if (!boot) return std::move(boot).error().in("boot id");
  facts.boot_id = *std::move(boot);
  return facts;
}

ClockTrust read_clock_trust() {
  struct timex time {};
  ClockTrust trust;
  const int state = adjtimex(&time);
  if (state < 0 || state == TIME_ERROR || (time.status & STA_UNSYNC) != 0) return trust;
  trust.synced = true;
  trust.source = clock_keeper();
  trust.error_us = time.maxerror;
  return trust;
}

}  // namespace vouch::agent
