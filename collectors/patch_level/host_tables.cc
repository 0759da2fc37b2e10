// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/apt_host.h"
#include "collectors/patch_level/input_token.h"
#include "collectors/patch_level/kernel.h"
#include "collectors/patch_level/os_release.h"
#include "collectors/patch_level/stanza.h"
#include "collectors/patch_level/tables.h"
#include "collectors/sdk/context.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kSmallFileBytesMax = std::size_t{1} << 20;
constexpr std::size_t kStatesBytesMax = std::size_t{16} << 20;
constexpr std::string_view kStatesPath = "/var/lib/apt/extended_states";
constexpr std::string_view kRebootPath = "/run/reboot-required";

// A kernel in a container is the host's: neither its version nor a reboot is the container's
// matter.
bool is_container(const Root& root) {
  for (const std::string_view mark :
       {"/run/systemd/container", "/.dockerenv", "/run/.containerenv"}) {
    if (root.exists(mark)) return true;
  }
  return false;
}

// By package where dpkg knows them, else by the directories of their modules.
Result<std::vector<InstalledKernel>> installed_kernels(const Root& root) {
  std::vector<InstalledKernel> kernels;
  const auto status = read_dpkg_status(root);
  if (!status && status.error().code != Errc::not_found) return status.error();
  if (status) {
    for (const DebPackage& package : status->packages) {
      auto release = kernel_release_of_package(package.name);
      if (!release.empty() && package.is_present()) {
        kernels.push_back({std::move(release), package.version});
      }
    }
    if (!kernels.empty()) return kernels;
  }
  for (const std::string_view directory : {"/usr/lib/modules", "/lib/modules"}) {
    const auto names = root.list(directory);
    if (!names && names.error().code != Errc::not_found) return names.error();
    for (const std::string& name : names.value_or({})) {
      // Without its list of modules a directory is what a removed kernel left behind.
      const bool is_whole = root.exists(std::string(directory) + '/' + name + "/modules.dep");
      if (is_whole && name.front() >= '0' && name.front() <= '9') kernels.push_back({name, {}});
    }
  }
  return kernels;
}

struct KernelState {
  RunningKernel running;  // Empty when an image is examined.
  std::optional<InstalledKernel> newest;
  std::optional<bool> running_is_newest;
};

Result<KernelState> kernel_state(const sdk::Context& context) {
  KernelState state;
  const auto installed = installed_kernels(context.root());
  if (!installed) return installed.error();
  utsname names{};
  if (context.is_host() && uname(&names) == 0) state.running = {names.release, names.version};
  state.newest = newest_kernel(*installed, state.running.release);
  if (context.is_host() && state.newest && !is_container(context.root())) {
    state.running_is_newest = is_newest(state.running, *state.newest);
  }
  return state;
}

}  // namespace

Status collect_os_version(sdk::Context& context, sdk::Rows& rows) {
  std::string path = "/etc/os-release";
  auto text = context.root().read(path, kSmallFileBytesMax);
  if (!text && text.error().code == Errc::not_found) {
    path = "/usr/lib/os-release";
    text = context.root().read(path, kSmallFileBytesMax);
  }
  if (!text) return text.error();
  const auto release = parse_os_release(*text);
  if (!release) return Error(release.error()).in(path);
  const SupportDates dates = support_dates(*release);
  rows.add({release->id, release->name, release->version, release->version_id, release->codename,
            dates.support_end, dates.lts_end});
  return Ok{};
}

Status collect_deb_packages(sdk::Context& context, sdk::Rows& rows) {
  InputToken token(context.root(), context.now());
  token.add_file(kStatusPath);
  token.add_directory("/var/lib/dpkg/updates");
  token.add_file(kStatesPath);
  if (const auto text = token.text(); !text.empty() && rows.unchanged(text)) return Ok{};

  const auto status = read_dpkg_status(context.root());
  if (!status) return status.error();
  const auto states = context.root().read(kStatesPath, kStatesBytesMax);
  // Without the file nothing was ever installed automatically.
  if (!states && states.error().code != Errc::not_found) rows.gap(kStatesPath, states.error());
  const auto automatic = parse_extended_states(states.value_or(""));
  const std::string native = native_architecture(*status);
  for (const DebPackage& package : status->packages) {
    // apt counts a package of architecture `all` among the host's own.
    const auto& arch = package.arch == "all" ? native : package.arch;
    const bool is_automatic = automatic.contains(package.name + ':' + arch) ||
                              automatic.contains(package.name + ':' + package.arch);
    rows.add({package.name, package.arch, package.version, package.source, package.source_version,
              package.status, package.held, is_automatic});
  }
  for (const Problem& problem : status->problems) {
    rows.gap(problem.object, {Errc::invalid, problem.message});
  }
  return Ok{};
}

Status collect_kernel(sdk::Context& context, sdk::Rows& rows) {
  const auto state = kernel_state(context);
  if (!state) return state.error();
  sdk::Cell newest(nullptr);
  if (state->newest) newest = state->newest->release;
  rows.add({state->running.release, newest, state->running_is_newest});
  return Ok{};
}

Status collect_reboot_status(sdk::Context& context, sdk::Rows& rows) {
  const bool is_required = context.root().exists(kRebootPath);
  if (is_required || context.is_host()) {
    std::string reason;
    const auto packages =
        context.root().read(std::string(kRebootPath) + ".pkgs", kSmallFileBytesMax).value_or("");
    const auto names = words(packages);
    for (const auto name : std::set<std::string_view>(names.begin(), names.end())) {
      reason.append(reason.empty() ? "" : ",").append(name);
    }
    rows.add({"reboot-required", is_required, is_required ? reason : ""});
  } else {
    rows.gap(kRebootPath, {Errc::unsupported, "an image that is not running does not say"});
  }

  const auto state = kernel_state(context);
  if (!state) {
    rows.gap("kernel", state.error());
  } else if (state->running_is_newest) {
    const std::string reason = *state->running_is_newest
                                   ? std::string()
                                   : state->running.release + " runs, " + state->newest->release +
                                         ' ' + state->newest->package_version + " is installed";
    rows.add({"kernel", !*state->running_is_newest, reason});
  }
  return Ok{};
}

Status collect_cpu_vulnerabilities(sdk::Context& context, sdk::Rows& rows) {
  constexpr std::string_view kDirectory = "/sys/devices/system/cpu/vulnerabilities";
  const auto names = context.root().list(kDirectory);
  if (!names) {
    if (names.error().code != Errc::not_found) return names.error();
    return Error{Errc::unsupported,
                 std::string(kDirectory) + " is not there: only a running kernel says"};
  }
  for (const std::string& name : *names) {
    const std::string path = std::string(kDirectory) + '/' + name;
    const auto status = context.root().read(path, kSmallFileBytesMax);
    if (status) {
      rows.add({name, trim(*status)});
    } else {
      rows.gap(path, status.error());
    }
  }
  return Ok{};
}

}  // namespace vouch::patch_level
