// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/sysctl_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "collectors/facts/sshd_config.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::string_view kProc = "/proc/sys/";

std::string_view trim(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") + 1 - start);
}

// The first separator decides: in "net/ipv4/conf/eth0.1" the dot belongs to the name.
std::string dotted(std::string_view name) {
  std::string out(name);
  const std::size_t first = out.find_first_of("./");
  if (first == std::string::npos || out[first] == '.') return out;
  for (char& c : out) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return out;
}

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?[") != std::string_view::npos;
}

// Base names in order, each from the first directory that has it; a link to /dev/null masks it.
std::map<std::string, std::string> list_fragments(const Root& root, SysctlConfig& config) {
  static constexpr std::array<std::string_view, 5> kDirectories{
      "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d",
      "/lib/sysctl.d"};
  std::map<std::string, std::string> files;
  for (const std::string_view directory : kDirectories) {
    const auto names = root.list(directory);
    if (!names) {
      if (names.error().code != Errc::not_found) {
        config.gaps.emplace_back(std::string(directory), names.error());
      }
      continue;
    }
    for (const std::string& name : *names) {
      if (name.ends_with(".conf")) files.try_emplace(name, fmt::format("{}/{}", directory, name));
    }
  }
  return files;
}

struct Assignment {
  SysctlSetting setting;
  std::string source;
};

void read_file(const Root& root, const std::string& path, SysctlConfig& config,
               std::vector<Assignment>& out) {
  const auto link = root.read_link(path);
  if (link && *link == "/dev/null") return;
  const auto text = root.read(path, kConfigBytesMax);
  if (!text) {
    config.gaps.emplace_back(path, text.error());
    return;
  }
  SysctlFile file = parse_sysctl(*text);
  for (const int line : file.faults) {
    config.gaps.emplace_back(fmt::format("{}:{}", path, line),
                             Error{Errc::invalid, "is no setting"});
  }
  for (SysctlSetting& setting : file.settings) out.push_back({std::move(setting), path});
}

}  // namespace

SysctlFile parse_sysctl(std::string_view text) {
  SysctlFile file;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    SysctlSetting setting;
    setting.line = number;
    const std::size_t equals = line.find('=');
    const bool ignores_errors = line[0] == '-';
    std::string_view name = trim(line.substr(0, equals));
    if (ignores_errors) name = trim(name.substr(1));
    if (equals == std::string_view::npos) {
      setting.is_excluded = ignores_errors;
    } else {
      setting.value = std::string(trim(line.substr(equals + 1)));
    }
    const bool is_good = !name.empty() && name.find_first_of(" \t") == std::string_view::npos &&
                         (equals != std::string_view::npos || ignores_errors);
    if (!is_good) {
      file.faults.push_back(number);
      continue;
    }
    setting.name = dotted(name);
    file.settings.push_back(std::move(setting));
  }
  return file;
}

SysctlConfig read_sysctl_config(const Root& root) {
  SysctlConfig config;
  std::vector<Assignment> assignments;
  for (const auto& [name, path] : list_fragments(root, config)) {
    read_file(root, path, config, assignments);
  }
  if (root.lstat("/etc/sysctl.conf").has_value()) {
    read_file(root, "/etc/sysctl.conf", config, assignments);
  }
  // A pattern does not reach what is named anywhere, by value or by "-name".
  std::set<std::string> named;
  for (const Assignment& item : assignments) {
    if (!is_pattern(item.setting.name)) named.insert(item.setting.name);
  }
  for (const auto& [setting, source] : assignments) {
    if (setting.is_excluded) continue;
    if (!is_pattern(setting.name) || !root.is_host()) {
      config.settings[setting.name] = {setting.value, source};
      continue;
    }
    for (const std::string& path : facts::glob_paths(root, sysctl_path(setting.name))) {
      const std::string name = dotted(std::string_view(path).substr(kProc.size()));
      if (!named.contains(name)) config.settings[name] = {setting.value, source};
    }
  }
  return config;
}

std::string sysctl_path(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return std::string(kProc) + out;
}

const std::vector<std::string>& watched_sysctls() {
  static const std::vector<std::string> kNames = {"fs.protected_fifos",
                                                  "fs.protected_hardlinks",
                                                  "fs.protected_regular",
                                                  "fs.protected_symlinks",
                                                  "fs.suid_dumpable",
                                                  "kernel.core_pattern",
                                                  "kernel.core_uses_pid",
                                                  "kernel.ctrl-alt-del",
                                                  "kernel.dmesg_restrict",
                                                  "kernel.kexec_load_disabled",
                                                  "kernel.kptr_restrict",
                                                  "kernel.modules_disabled",
                                                  "kernel.panic",
                                                  "kernel.panic_on_oops",
                                                  "kernel.perf_event_paranoid",
                                                  "kernel.randomize_va_space",
                                                  "kernel.sysrq",
                                                  "kernel.tainted",
                                                  "kernel.unprivileged_bpf_disabled",
                                                  "kernel.unprivileged_userns_clone",
                                                  "kernel.yama.ptrace_scope",
                                                  "net.core.bpf_jit_harden",
                                                  "net.ipv4.conf.all.accept_redirects",
                                                  "net.ipv4.conf.all.accept_source_route",
                                                  "net.ipv4.conf.all.forwarding",
                                                  "net.ipv4.conf.all.log_martians",
                                                  "net.ipv4.conf.all.rp_filter",
                                                  "net.ipv4.conf.all.secure_redirects",
                                                  "net.ipv4.conf.all.send_redirects",
                                                  "net.ipv4.conf.default.accept_redirects",
                                                  "net.ipv4.conf.default.accept_source_route",
                                                  "net.ipv4.conf.default.log_martians",
                                                  "net.ipv4.conf.default.rp_filter",
                                                  "net.ipv4.conf.default.secure_redirects",
                                                  "net.ipv4.conf.default.send_redirects",
                                                  "net.ipv4.icmp_echo_ignore_broadcasts",
                                                  "net.ipv4.icmp_ignore_bogus_error_responses",
                                                  "net.ipv4.ip_forward",
                                                  "net.ipv4.tcp_rfc1337",
                                                  "net.ipv4.tcp_syncookies",
                                                  "net.ipv4.tcp_timestamps",
                                                  "net.ipv6.conf.all.accept_ra",
                                                  "net.ipv6.conf.all.accept_redirects",
                                                  "net.ipv6.conf.all.accept_source_route",
                                                  "net.ipv6.conf.all.disable_ipv6",
                                                  "net.ipv6.conf.all.forwarding",
                                                  "net.ipv6.conf.default.accept_ra",
                                                  "net.ipv6.conf.default.accept_redirects",
                                                  "net.ipv6.conf.default.accept_source_route",
                                                  "user.max_user_namespaces",
                                                  "vm.mmap_min_addr",
                                                  "vm.unprivileged_userfaultfd"};
  return kNames;
}

}  // namespace vouch::drift
