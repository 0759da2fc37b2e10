// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/host_load.h"

#include <charconv>
#include <thread>

#include "core/file.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kProcBytesMax = 4096;
constexpr std::int64_t kNumberMax = 1'000'000;

// "12.34" at the begin of the text, in hundredths.
std::optional<std::int64_t> take_hundredths(std::string_view text) {
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc{} || whole < 0 || whole > kNumberMax || end - dot < 3 || *dot != '.') {
    return std::nullopt;
  }
  std::int64_t part = 0;
  const auto [stop, bad] = std::from_chars(dot + 1, dot + 3, part);
  if (bad != std::errc{} || stop != dot + 3 || part < 0) return std::nullopt;
  return whole * 100 + part;
}

}  // namespace

std::optional<std::int64_t> parse_pressure(std::string_view text) {
  constexpr std::string_view kBefore = "some avg10=";
  if (!text.starts_with(kBefore)) return std::nullopt;
  const auto hundredths = take_hundredths(text.substr(kBefore.size()));
  return hundredths ? std::optional(*hundredths / 100) : std::nullopt;
}

std::optional<std::int64_t> parse_load(std::string_view text, std::int64_t cpus) {
  const auto hundredths = take_hundredths(text);
  return hundredths && cpus > 0 ? std::optional(*hundredths / cpus) : std::nullopt;
}

bool is_busy(const LoadReading& reading, const BusyLimits& limits) {
  if (reading.pressure) return *reading.pressure >= limits.pressure;
  return reading.load && *reading.load >= limits.load;
}

LoadReading SystemLoad::read() {
  LoadReading reading;
  if (const auto text = read_file("/proc/pressure/cpu", kProcBytesMax)) {
    reading.pressure = parse_pressure(*text);
  }
  if (const auto text = read_file("/proc/loadavg", kProcBytesMax); text && !reading.pressure) {
    reading.load = parse_load(*text, std::thread::hardware_concurrency());
  }
  return reading;
}

}  // namespace vouch::agent
