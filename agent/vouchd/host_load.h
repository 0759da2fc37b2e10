// SPDX-License-Identifier: Apache-2.0
// How busy the host is: the seam through which the agent finds out whether it should wait a little
// with what is due. It never waits long (scheduler.h, put_off()).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vouch::agent {

// In percent, rounded down. Absent: the kernel does not say.
struct LoadReading {
  std::optional<std::int64_t> pressure;  // Of the last 10 s, with some task waiting for a CPU.
  std::optional<std::int64_t> load;      // Tasks that want to run, per CPU, over a minute.
};

class HostLoad {
 public:
  virtual ~HostLoad() = default;
  virtual LoadReading read() = 0;
};

// /proc/pressure/cpu, else /proc/loadavg. Called by one thread.
class SystemLoad final : public HostLoad {
 public:
  LoadReading read() override;
};

// What `busy` of the configuration says.
struct BusyLimits {
  std::int64_t delay_s_max = 60;  // 0: never waits.
  std::int64_t pressure = 60;
  std::int64_t load = 200;

  bool operator==(const BusyLimits&) const = default;
};

// By the pressure where it is known, else by the load; a host that says neither is not busy.
bool is_busy(const LoadReading& reading, const BusyLimits& limits);

// The text of the two files; absent if it is none.
std::optional<std::int64_t> parse_pressure(std::string_view text);
std::optional<std::int64_t> parse_load(std::string_view text, std::int64_t cpus);

}  // namespace vouch::agent
