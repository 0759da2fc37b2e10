// SPDX-License-Identifier: Apache-2.0
#include "core/capabilities.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "core/file.h"

namespace vouch {
namespace {

constexpr std::size_t kStatusBytesMax = 64u << 10;

// Those that a table may need.
constexpr std::array<std::pair<std::string_view, int>, 8> kCapabilities{{
    {"CAP_DAC_OVERRIDE", 1},
    {"CAP_DAC_READ_SEARCH", 2},
    {"CAP_NET_ADMIN", 12},
    {"CAP_SYS_PTRACE", 19},
    {"CAP_SYS_ADMIN", 21},
    {"CAP_SYSLOG", 34},
    {"CAP_AUDIT_READ", 37},
    {"CAP_BPF", 39},
}};

}  // namespace

std::uint64_t effective_capabilities() {
  const auto status = read_file("/proc/thread-self/status", kStatusBytesMax);
  if (!status) return 0;
  const std::string_view mark = "\nCapEff:\t";
  const auto at = status->find(mark);
  if (at == std::string::npos) return 0;
  std::uint64_t capabilities = 0;
  const char* begin = status->data() + at + mark.size();
  std::from_chars(begin, status->data() + status->size(), capabilities, 16);
  return capabilities;
}

bool has_capability(std::uint64_t capabilities, std::string_view name) {
  for (const auto& [known, bit] : kCapabilities) {
    if (known == name) return (capabilities >> bit & 1) != 0;
  }
  return false;
}

}  // namespace vouch
