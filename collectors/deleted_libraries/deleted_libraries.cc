// SPDX-License-Identifier: Apache-2.0
#include "collectors/deleted_libraries/deleted_libraries.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "collectors/sdk/context.h"

namespace vouch::deleted_libraries {
namespace {

constexpr std::size_t kMapsBytesMax = std::size_t{16} << 20;
constexpr std::size_t kSmallBytesMax = std::size_t{64} << 10;
constexpr std::string_view kDeleted = " (deleted)";

std::string_view cut_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// "START-END PERMISSIONS OFFSET DEVICE INODE   PATH": the path may have blanks.
std::string_view path_of(std::string_view line) {
  constexpr int kFieldsBefore = 5;
  for (int i = 0; i < kFieldsBefore; ++i) {
    const auto blank = line.find(' ');
    if (blank == line.npos) return {};
    line.remove_prefix(blank);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

bool is_executable_mapping(std::string_view line) {
  const auto blank = line.find(' ');
  return blank != line.npos && line.size() > blank + 3 && line[blank + 3] == 'x';
}

struct Use {
  std::int64_t processes = 0;
  std::set<std::uint64_t> uids;
};
using Uses = std::map<std::tuple<std::string, std::string, std::string>, Use>;

std::string without_mark(std::string path) {
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

// Adds what the process has. An Error: it cannot be looked into, and is still there.
Status add_process(const Root& root, const std::string& directory, Uses& uses) {
  const auto gone = [&](const Error& error) -> Status {
    if (!root.exists(directory + "/stat")) return Ok{};
    return error;
  };
  const auto maps = root.read(directory + "/maps", kMapsBytesMax);
  if (!maps) return gone(maps.error());
  if (maps->empty()) return Ok{};  // A thread of the kernel, or a zombie.
  const auto link = root.read_link(directory + "/exe");
  if (!link) return gone(link.error());
  const std::string executable = without_mark(*link);
  const auto files = deleted_files(*maps, executable);
  if (files.empty()) return Ok{};
  const auto info = root.stat(directory);
  const std::string unit =
      unit_of_cgroup(root.read(directory + "/cgroup", kSmallBytesMax).value_or(""));
  for (const std::string& file : files) {
    Use& use = uses[{executable, unit, file}];
    ++use.processes;
    if (info) use.uids.insert(info->st_uid);
  }
  return Ok{};
}

Status collect(sdk::Context& context, sdk::Rows& rows) {
  const Root& root = context.root();
  const auto names = root.list("/proc");
  if (!names) return names.error();
  Uses uses;
  std::size_t seen = 0;
  for (const std::string& name : *names) {
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    ++seen;
    const std::string directory = "/proc/" + name;
    if (auto status = add_process(root, directory, uses); !status)
      rows.gap(directory, status.error());
  }
  if (seen == 0) return Error{Errc::unsupported, "/proc has no process: nothing runs here"};
  for (const auto& [key, use] : uses) {
    const auto& [executable, unit, file] = key;
    // The file that took its place says since when.
    const auto now = root.stat(file);
    sdk::Cell replaced(nullptr);
    if (now) replaced = static_cast<std::int64_t>(now->st_ctim.tv_sec);
    std::string uids;
    for (const auto uid : use.uids) uids += (uids.empty() ? "" : ",") + std::to_string(uid);
    rows.add({executable, unit, file, use.processes, uids, replaced});
  }
  return Ok{};
}

}  // namespace

std::vector<std::string> deleted_files(std::string_view maps, std::string_view executable) {
  std::set<std::string> files;
  while (!maps.empty()) {
    const auto line = cut_line(maps);
    if (!line.ends_with(kDeleted) || !is_executable_mapping(line)) continue;
    auto path = path_of(line);
    path.remove_suffix(std::min(kDeleted.size(), path.size()));
    if (!path.starts_with('/') || path.starts_with("/memfd:") || path.starts_with("/dev/") ||
        path.starts_with("/SYSV")) {
      continue;
    }
    const auto name = path.substr(path.rfind('/') + 1);
    const bool is_library = name.find(".so") != name.npos;
    if (is_library || path == executable) files.emplace(path);
  }
  return {files.begin(), files.end()};
}

std::string unit_of_cgroup(std::string_view text) {
  std::string unit;
  while (!text.empty()) {
    auto line = cut_line(text);
    const auto colon = line.find("::");
    const auto named = line.find(":name=systemd:");
    if (colon == line.npos && named == line.npos) continue;
    line = line.substr(line.rfind(':') + 1);
    // The innermost component that is a unit: a service may have groups of its own below it.
    while (!line.empty()) {
      const auto slash = line.rfind('/');
      const auto part = line.substr(slash == line.npos ? 0 : slash + 1);
      if (part.ends_with(".service") || part.ends_with(".scope")) {
        unit = part;
        break;
      }
      line = slash == line.npos ? std::string_view() : line.substr(0, slash);
    }
  }
  return unit;
}

sdk::Collector make_deleted_libraries() {
  return {
      .name = "deleted_libraries",
      .title = "Programs that run with replaced libraries",
      .interval_s = 3600,
      .deadline_s = 60,
      .tables = {{.name = "deleted_libraries",
                  .title = "Libraries and executables in use whose file was replaced or removed",
                  .columns = {sdk::bytes("program", "Executable of the processes").key(),
                              sdk::text("unit", "Unit that they belong to; empty for none").key(),
                              sdk::bytes("path", "The file in use that is gone").key(),
                              sdk::integer("processes", "Processes that have it"),
                              sdk::text("uids", "Their users, separated by commas"),
                              sdk::time("replaced", "When the file that is there now came")
                                  .nullable("no file is at that path now")},
                  .is_volatile = true,
                  .capabilities = {"CAP_SYS_PTRACE"},
                  .collect = collect}}};
}

}  // namespace vouch::deleted_libraries
