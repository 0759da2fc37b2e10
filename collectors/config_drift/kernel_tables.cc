// SPDX-License-Identifier: Apache-2.0
// The tables of the kernel: system_controls, kernel_modules, listening_ports.
#include <dirent.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/kernel_modules.h"
#include "collectors/config_drift/sockets.h"
#include "collectors/config_drift/sysctl_config.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kValueBytesMax = 64 << 10;
constexpr std::size_t kTextBytesMax = 16 << 20;
constexpr std::size_t kCgroupsMax = 20'000;

// Tabs and newlines between numbers become one space, as sysctl(8) prints them in a line.
std::string tidy_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n';
    if (!is_space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

Status collect_controls(Context& context, Rows& rows) {
  SysctlConfig config = read_sysctl_config(context.root());
  for (const auto& [object, error] : config.gaps) rows.gap(object, error);
  std::set<std::string> names(watched_sysctls().begin(), watched_sysctls().end());
  for (const auto& [name, setting] : config.settings) names.insert(name);
  for (const std::string& name : names) {
    std::optional<std::string> current;
    if (context.is_host()) {
      const auto text = context.root().read(sysctl_path(name), kValueBytesMax);
      if (text) {
        current = tidy_value(*text);
      } else if (text.error().code != Errc::not_found) {
        rows.gap(name, text.error());
        continue;
      }
    }
    const auto configured = config.settings.find(name);
    const bool is_configured = configured != config.settings.end();
    if (!current && !is_configured) continue;  // This kernel has no such setting.
    rows.add({name, current,
              is_configured ? sdk::Cell(tidy_value(configured->second.value)) : sdk::Cell(nullptr),
              is_configured ? sdk::Cell(configured->second.source) : sdk::Cell(nullptr)});
  }
  return Ok{};
}

// Modules that a policy asks about although nothing may name them.
constexpr std::array<std::string_view, 16> kWatchedModules{
    "cramfs", "dccp",        "firewire_core", "freevxfs", "hfs",  "hfsplus",
    "jffs2",  "rds",         "sctp",          "squashfs", "tipc", "uas",
    "udf",    "usb_storage", "algif_aead",    "n_hdlc"};

Status collect_modules(Context& context, Rows& rows) {
  struct Known {
    ModulePolicy policy;
    bool loaded = false;
  };
  std::map<std::string, Known> modules;
  const auto available = available_modules(context.root(), rows);
  for (const auto& [name, policy] : configured_modules(context.root(), rows)) {
    modules[name].policy = policy;
  }
  for (const std::string_view name : kWatchedModules) {
    const std::string watched(name);
    if (available && available->contains(watched)) modules.try_emplace(watched);
  }
  if (context.is_host()) {
    const auto text = context.root().read("/proc/modules", kTextBytesMax);
    if (text) {
      for (const std::string& name : parse_proc_modules(*text)) modules[name].loaded = true;
    } else if (text.error().code != Errc::not_found || !context.root().exists("/proc/version")) {
      return text.error();
    }
    // A kernel without /proc/modules cannot load any.
  }
  for (const auto& [name, known] : modules) {
    std::optional<bool> is_available;
    if (available) is_available = available->contains(name);
    rows.add({name, known.loaded, known.policy.blacklisted, known.policy.disabled, is_available});
  }
  return Ok{};
}

// The unit that a cgroup belongs to: the innermost part of its path that is one.
std::string unit_of(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view part = path.substr(slash + 1);
    for (const std::string_view suffix : {".service", ".socket", ".scope"}) {
      if (part.ends_with(suffix)) return std::string(part);
    }
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return "";
}

// Finds the paths of cgroups by id, which is the inode number of their directory.
class CgroupNames {
 public:
  CgroupNames(const Root& root, std::set<std::uint64_t> wanted)
      : root_(root), wanted_(std::move(wanted)) {
    if (!wanted_.empty()) visit("/sys/fs/cgroup", 0);
  }

  std::string unit(std::uint64_t id) const {
    const auto path = paths_.find(id);
    return path == paths_.end() ? "" : unit_of(path->second);
  }

 private:
  void visit(const std::string& directory, int depth) {
    auto fd = root_.open_directory(directory);
    if (!fd || depth > 16) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd->get()), &::closedir);
    if (!stream) return;
    fd->release();
    std::vector<std::string> children;
    while (const dirent* entry = ::readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
      if (++visited_ > kCgroupsMax || wanted_.empty()) return;
      const std::string path = directory + "/" + std::string(name);
      if (wanted_.erase(entry->d_ino) != 0) paths_[entry->d_ino] = path;
      children.push_back(path);
    }
    for (const std::string& child : children) visit(child, depth + 1);
  }

  const Root& root_;
  std::set<std::uint64_t> wanted_;
  std::map<std::uint64_t, std::string> paths_;
  std::size_t visited_ = 0;
};

Result<std::vector<Listener>> read_proc_net(Context& context) {
  std::vector<Listener> all;
  for (const std::string name : {"tcp", "tcp6", "udp", "udp6"}) {
    const std::string path = "/proc/self/net/" + name;
    const auto text = context.root().read(path, kTextBytesMax);
    const bool is_ipv6 = name.ends_with('6');
    if (!text && is_ipv6 && text.error().code == Errc::not_found) continue;  // Without IPv6.
    if (!text) return text.error();
    auto listeners = parse_proc_net(*text, name.substr(0, 3), is_ipv6);
    if (!listeners) return std::move(listeners).error().in(path);
    std::move(listeners->begin(), listeners->end(), std::back_inserter(all));
  }
  return all;
}

Status collect_ports(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "only a running host listens"};
  auto listeners = query_listeners();
  if (!listeners) {
    context.log("debug", "sock_diag: " + listeners.error().message + "; reading /proc/net");
    listeners = read_proc_net(context);
  }
  if (!listeners) return listeners.error();
  std::set<std::uint64_t> cgroups;
  for (const Listener& listener : *listeners) {
    if (listener.cgroup_id != 0) cgroups.insert(listener.cgroup_id);
  }
  const CgroupNames names(context.root(), std::move(cgroups));
  for (const Listener& listener : *listeners) {
    const std::string unit = names.unit(listener.cgroup_id);
    rows.add({listener.protocol, listener.family, listener.address, listener.port, listener.uid,
              unit.empty() ? sdk::Cell(nullptr) : sdk::Cell(unit)});
  }
  return Ok{};
}

}  // namespace

sdk::Table system_controls_table() {
  return {.name = "system_controls",
          .title = "Kernel settings, now and as configured: the watched ones and all configured",
          .columns = {sdk::text("name", "Dotted name").key(),
                      sdk::text("current_value", "In the running kernel")
                          .nullable("not in the running kernel, or --root"),
                      sdk::text("config_value", "After the next boot").nullable("not configured"),
                      sdk::bytes("config_source", "The file that has the last word")
                          .nullable("not configured")},
          .collect = collect_controls};
}

sdk::Table listening_ports_table() {
  return {
      .name = "listening_ports",
      .title = "Sockets that wait for others",
      .columns = {sdk::text("protocol", "tcp, udp").key(), sdk::text("family", "ipv4, ipv6").key(),
                  sdk::text("address", "Local address").key(),
                  sdk::integer("port", "Local port").key(), sdk::occurrence(),
                  sdk::integer("uid", "Owner of the socket"),
                  sdk::text("unit", "systemd unit").nullable("not known")},
      .collect = collect_ports};
}

sdk::Table kernel_modules_table() {
  return {.name = "kernel_modules",
          .title = "Modules that are loaded, named by the configuration, or watched for",
          .columns = {sdk::text("name", "Module").key(), sdk::boolean("loaded", "It is loaded"),
                      sdk::boolean("blacklisted", "Not loaded for hardware that asks for it"),
                      sdk::boolean("disabled", "modprobe runs /bin/true or /bin/false instead"),
                      sdk::boolean("available", "Some installed kernel has it")
                          .nullable("no kernel is installed here")},
          .collect = collect_modules};
}

}  // namespace vouch::drift
