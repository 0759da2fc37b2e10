// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/accounts_on_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "core/process.h"

namespace vouch::access {
namespace {

constexpr std::size_t kAccountBytesMax = 64 << 20;
constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::int64_t kUidMinDefault = 1000;

void report(sdk::Rows& rows, std::string_view file, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    rows.gap(fmt::format("{}:{}", file, fault.line), {Errc::invalid, fault.message});
  }
}

// What getent(1) lists beyond the files. The name service's modules run in a process of their own:
// they talk to networks and daemons.
std::string list_by_name_service(sdk::Context& context, sdk::Rows& rows,
                                 const std::string& database) {
  if (!context.is_host()) return "";
  const auto nsswitch = context.root().read("/etc/nsswitch.conf", kConfigBytesMax);
  if (!nsswitch) return "";
  const auto sources = remote_sources(*nsswitch, database);
  if (sources.empty()) return "";

  Command command;
  command.argv = {"/usr/bin/getent", database};
  command.environment = default_environment();
  command.deadline = context.remaining();
  command.output_bytes_max = kAccountBytesMax;
  const auto exit = run_process(command);
  if (exit && exit->how == Exit::How::exited && exit->code == 0) return exit->standard_output;
  rows.gap("/etc/nsswitch.conf:" + database,
           exit ? Error{Errc::tool_failed, "getent did not list the accounts"} : exit.error());
  return "";
}

void note_silent_sources(sdk::Rows& rows, const std::string& database) {
  rows.gap("/etc/nsswitch.conf:" + database,
           {Errc::unsupported, "a source that is no local file lists none of its accounts"});
}

}  // namespace

std::vector<std::string> remote_sources(std::string_view nsswitch, std::string_view database) {
  static constexpr std::array<std::string_view, 6> kLocal{"files",      "compat", "systemd",
                                                          "myhostname", "db",     "altfiles"};
  std::vector<std::string> sources;
  while (!nsswitch.empty()) {
    std::string_view line = nsswitch.substr(0, nsswitch.find('\n'));
    nsswitch.remove_prefix(std::min(nsswitch.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const std::size_t start = line.find_first_not_of(" \t");
    const std::size_t colon = line.find(':');
    if (start == std::string_view::npos || colon == std::string_view::npos) continue;
    if (line.substr(start, colon - start) != database) continue;
    line.remove_prefix(colon + 1);
    bool in_action = false;  // "[NOTFOUND=return]"
    while (!line.empty()) {
      const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
      const std::string_view word = line.substr(0, end);
      line.remove_prefix(std::min(line.size(), end + 1));
      if (word.starts_with('[')) in_action = true;
      const bool is_source = !word.empty() && !in_action;
      if (word.ends_with(']')) in_action = false;
      if (is_source && std::find(kLocal.begin(), kLocal.end(), word) == kLocal.end()) {
        sources.emplace_back(word);
      }
    }
  }
  return sources;
}

Result<std::vector<Account>> read_accounts(sdk::Context& context, sdk::Rows& rows) {
  const auto text = context.root().read("/etc/passwd", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_passwd(*text);
  report(rows, "/etc/passwd", parsed.faults);
  std::vector<Account> accounts;
  std::set<std::string> names;
  for (PasswdEntry& entry : parsed.entries) {
    names.insert(entry.name);
    accounts.push_back({std::move(entry), true});
  }
  const std::string listed = list_by_name_service(context, rows, "passwd");
  const std::size_t local = accounts.size();
  for (PasswdEntry& entry : parse_passwd(listed).entries) {
    if (!names.contains(entry.name)) accounts.push_back({std::move(entry), false});
  }
  if (!listed.empty() && accounts.size() == local) note_silent_sources(rows, "passwd");
  return accounts;
}

Result<std::vector<GroupEntry>> read_groups(sdk::Context& context, sdk::Rows& rows) {
  const auto text = context.root().read("/etc/group", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_group(*text);
  report(rows, "/etc/group", parsed.faults);
  std::set<std::string> names;
  for (const GroupEntry& entry : parsed.entries) names.insert(entry.name);
  const std::string listed = list_by_name_service(context, rows, "group");
  const std::size_t local = parsed.entries.size();
  for (GroupEntry& entry : parse_group(listed).entries) {
    if (!names.contains(entry.name)) parsed.entries.push_back(std::move(entry));
  }
  if (!listed.empty() && parsed.entries.size() == local) note_silent_sources(rows, "group");
  return std::move(parsed.entries);
}

Result<std::vector<ShadowEntry>> read_shadow(sdk::Context& context, sdk::Rows& rows) {
  const auto text = context.root().read("/etc/shadow", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_shadow(*text);
  report(rows, "/etc/shadow", parsed.faults);
  return std::move(parsed.entries);
}

std::int64_t read_uid_min(const Root& root) {
  const auto text = root.read("/etc/login.defs", kConfigBytesMax);
  if (!text) return kUidMinDefault;
  for (const auto& [name, value] : parse_login_defs(*text)) {
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    if (name == "UID_MIN" && std::from_chars(value.data(), end, number).ptr == end && number > 0) {
      return number;
    }
  }
  return kUidMinDefault;
}

}  // namespace vouch::access
