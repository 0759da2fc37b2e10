// SPDX-License-Identifier: Apache-2.0
#include "core/capabilities.h"

#include <array>
#include <charconv>
#include <string>

#include "core/file.h"

namespace vouch {
namespace {

constexpr std::size_t kStatusBytesMax = 64u << 10;

// By number, without CAP_ (linux/capability.h).
constexpr std::array<std::string_view, 41> kCapabilities{"CHOWN",
                                                         "DAC_OVERRIDE",
                                                         "DAC_READ_SEARCH",
                                                         "FOWNER",
                                                         "FSETID",
                                                         "KILL",
                                                         "SETGID",
                                                         "SETUID",
                                                         "SETPCAP",
                                                         "LINUX_IMMUTABLE",
                                                         "NET_BIND_SERVICE",
                                                         "NET_BROADCAST",
                                                         "NET_ADMIN",
                                                         "NET_RAW",
                                                         "IPC_LOCK",
                                                         "IPC_OWNER",
                                                         "SYS_MODULE",
                                                         "SYS_RAWIO",
                                                         "SYS_CHROOT",
                                                         "SYS_PTRACE",
                                                         "SYS_PACCT",
                                                         "SYS_ADMIN",
                                                         "SYS_BOOT",
                                                         "SYS_NICE",
                                                         "SYS_RESOURCE",
                                                         "SYS_TIME",
                                                         "SYS_TTY_CONFIG",
                                                         "MKNOD",
                                                         "LEASE",
                                                         "AUDIT_WRITE",
                                                         "AUDIT_CONTROL",
                                                         "SETFCAP",
                                                         "MAC_OVERRIDE",
                                                         "MAC_ADMIN",
                                                         "SYSLOG",
                                                         "WAKE_ALARM",
                                                         "BLOCK_SUSPEND",
                                                         "AUDIT_READ",
                                                         "PERFMON",
                                                         "BPF",
                                                         "CHECKPOINT_RESTORE"};

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
  if (!name.starts_with("CAP_")) return false;
  name.remove_prefix(4);
  for (std::size_t bit = 0; bit < kCapabilities.size(); ++bit) {
    if (kCapabilities[bit] == name) return (capabilities >> bit & 1) != 0;
  }
  return false;
}

std::string capability_name(int number) {
  const auto at = static_cast<std::size_t>(number);
  if (at >= kCapabilities.size()) return std::to_string(number);
  std::string name = "cap_" + std::string(kCapabilities[at]);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

}  // namespace vouch
