// SPDX-License-Identifier: Apache-2.0
// The tables of logging: log_settings, log_targets, log_rotations, log_files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/file_walk.h"
#include "collectors/config_drift/log_targets.h"
#include "collectors/config_drift/logrotate.h"
#include "collectors/facts/file_mode.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/facts/systemd_config.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/foreign_mounts.h"
#include "core/digest.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::size_t kConfigFilesMax = 500;
constexpr std::size_t kLogFilesMax = 50'000;

std::optional<std::string> read(const Root& root, Rows& rows, const std::string& path) {
  auto text = root.read(path, kConfigBytesMax);
  if (text) return *std::move(text);
  if (text.error().code != Errc::not_found) rows.gap(path, text.error());
  return std::nullopt;
}

// --- log_settings
// ---------------------------------------------------------------------------------

struct Default {
  std::string_view name;
  std::string_view value;
};

void add_journald(const Root& root, Rows& rows) {
  if (!root.exists("/usr/lib/systemd/systemd-journald") &&
      !root.exists("/lib/systemd/systemd-journald")) {
    return;
  }
  // journald.conf(5); only defaults that every version has.
  static constexpr std::array<Default, 12> kNames{{{"Storage", "auto"},
                                                   {"Compress", "yes"},
                                                   {"Seal", "yes"},
                                                   {"MaxRetentionSec", "0"},
                                                   {"MaxFileSec", "1month"},
                                                   {"SystemMaxUse", ""},
                                                   {"SystemKeepFree", ""},
                                                   {"RuntimeMaxUse", ""},
                                                   {"ForwardToSyslog", ""},
                                                   {"MaxLevelStore", ""},
                                                   {"RateLimitIntervalSec", ""},
                                                   {"RateLimitBurst", ""}}};
  const auto config = facts::read_systemd_config(root, "journald.conf");
  for (const auto& [path, error] : config.gaps) rows.gap(path, error);
  for (const Default& each : kNames) {
    const auto found = config.settings.find({"Journal", std::string(each.name)});
    const bool is_set = found != config.settings.end() && !found->second.value.empty();
    const std::string value(is_set ? found->second.value : std::string(each.value));
    if (value.empty()) continue;
    const bool is_time = each.name.ends_with("Sec");
    const auto number = is_time ? facts::parse_time_span(value) : facts::parse_size(value);
    rows.add({"journald", facts::lower_case(each.name), value, number,
              is_set ? sdk::Cell(found->second.source) : sdk::Cell(nullptr)});
  }
}

void add_auditd(const Root& root, Rows& rows) {
  const std::string path = "/etc/audit/auditd.conf";
  const auto text = read(root, rows, path);
  if (!text) return;
  facts::each_line(*text, [&](std::string_view line, int number) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return rows.gap(fmt::format("{}:{}", path, number), {Errc::invalid, "is no setting"});
    }
    const std::string value(facts::trim(line.substr(equals + 1)));
    rows.add({"auditd", facts::lower_case(facts::trim(line.substr(0, equals))), value,
              facts::parse_size(value), path});
  });
}

Status collect_settings(Context& context, Rows& rows) {
  add_journald(context.root(), rows);
  add_auditd(context.root(), rows);
  return Ok{};
}

// --- log_targets
// ----------------------------------------------------------------------------------

void add_target(Rows& rows, const LogTarget& target, const std::string& source) {
  rows.add({target.service, target.target, target.protocol, target.encrypted, source});
}

void add_rsyslog(const Root& root, Rows& rows) {
  std::vector<std::string> files = {"/etc/rsyslog.conf"};
  std::set<std::string> seen;
  bool encrypts = false;
  for (std::size_t i = 0; i < files.size() && i < kConfigFilesMax; ++i) {
    if (!seen.insert(files[i]).second) continue;
    const auto text = read(root, rows, files[i]);
    if (!text) continue;
    const RsyslogFile file = parse_rsyslog(*text);
    encrypts = encrypts || file.encrypts_by_default;
    for (LogTarget target : file.targets) {
      target.encrypted = target.encrypted || (encrypts && target.protocol == "tcp");
      add_target(rows, target, files[i]);
    }
    for (const std::string& pattern : file.includes) {
      for (std::string& path : facts::glob_paths(root, pattern)) files.push_back(std::move(path));
    }
  }
}

void add_syslog_ng(const Root& root, Rows& rows) {
  std::vector<std::string> files = facts::glob_paths(root, "/etc/syslog-ng/conf.d/*.conf");
  files.insert(files.begin(), "/etc/syslog-ng/syslog-ng.conf");
  for (const std::string& path : files) {
    const auto text = read(root, rows, path);
    if (!text) continue;
    for (const LogTarget& target : parse_syslog_ng(*text)) add_target(rows, target, path);
  }
}

void add_journal_upload(const Root& root, Rows& rows) {
  const auto config = facts::read_systemd_config(root, "journal-upload.conf");
  for (const auto& [path, error] : config.gaps) rows.gap(path, error);
  const auto url = config.settings.find({"Upload", "URL"});
  if (url == config.settings.end() || url->second.value.empty()) return;
  // Without a scheme it is HTTPS.
  const bool is_plain = url->second.value.starts_with("http://");
  add_target(rows, {"journal-upload", url->second.value, is_plain ? "http" : "https", !is_plain},
             url->second.source);
}

// auditd's plugin sends only where both files say so.
void add_audisp(const Root& root, Rows& rows) {
  for (const std::string directory : {"/etc/audit/plugins.d", "/etc/audisp/plugins.d"}) {
    const auto plugin = read(root, rows, directory + "/au-remote.conf");
    if (!plugin) continue;
    bool is_active = false;
    facts::each_line(*plugin, [&](std::string_view line, int) {
      std::string squeezed = facts::lower_case(line);
      std::erase_if(squeezed, [](char c) { return c == ' ' || c == '\t'; });
      if (squeezed.starts_with("active=")) is_active = squeezed == "active=yes";
    });
    const std::string path = directory.substr(0, directory.rfind('/')) + "/audisp-remote.conf";
    const auto remote = is_active ? read(root, rows, path) : std::nullopt;
    if (!remote) continue;
    LogTarget target{"audisp-remote", "", "tcp", false};
    facts::each_line(*remote, [&](std::string_view line, int) {
      const std::string_view name = facts::trim(line.substr(0, line.find('=')));
      const std::string_view value =
          facts::trim(line.substr(std::min(line.size(), line.find('=') + 1)));
      if (name == "remote_server") target.target = value;
      if (name == "transport") target.encrypted = facts::lower_case(value) == "krb5";
    });
    if (!target.target.empty()) add_target(rows, target, path);
  }
}

Status collect_targets(Context& context, Rows& rows) {
  add_rsyslog(context.root(), rows);
  add_syslog_ng(context.root(), rows);
  add_journal_upload(context.root(), rows);
  add_audisp(context.root(), rows);
  return Ok{};
}

// --- log_rotations
// --------------------------------------------------------------------------------

// What logrotate itself passes over in a directory (tabooext).
bool is_taboo(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kEndings{
      "~",         ",v",        ".bak",      ".swp",     ".disabled", ".dpkg-old", ".dpkg-dist",
      ".dpkg-new", ".dpkg-bak", ".dpkg-tmp", ".rpmsave", ".rpmorig",  ".rpmnew"};
  return name.starts_with('.') ||
         std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

Status collect_rotations(Context& context, Rows& rows) {
  const Root& root = context.root();
  RotationDefaults defaults;
  std::vector<std::string> files = {"/etc/logrotate.conf"};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < files.size() && i < kConfigFilesMax; ++i) {
    if (!seen.insert(files[i]).second) continue;
    const auto text = read(root, rows, files[i]);
    if (!text) continue;
    // What an included file sets outside of blocks ends with it.
    RotationDefaults inner = defaults;
    const LogrotateFile file = parse_logrotate(*text, files[i], i == 0 ? defaults : inner);
    for (const LogRotation& item : file.rotations) {
      rows.add({item.path, item.source, item.period, item.rotate, item.max_age_days, item.size});
    }
    for (const int line : file.faults) {
      rows.gap(fmt::format("{}:{}", files[i], line), {Errc::invalid, "a block that is none"});
    }
    for (const std::string& include : file.includes) {
      const auto names = root.list(include);
      if (!names) files.push_back(include);
      for (const std::string& name : names.value_or({})) {
        if (!is_taboo(name)) files.push_back(include + "/" + name);
      }
    }
  }
  return Ok{};
}

// --- log_files
// ------------------------------------------------------------------------------------

// Archived journals: a new name at each rotation, and the mode of those in use.
bool is_archived_journal(std::string_view path) {
  const bool is_journal = path.ends_with(".journal") || path.ends_with(".journal~");
  return path.starts_with("/var/log/journal/") && is_journal && path.find('@') != path.npos;
}

std::string_view kind_of(mode_t mode) {
  return S_ISREG(mode)   ? "regular"
         : S_ISDIR(mode) ? "directory"
         : S_ISLNK(mode) ? "symlink"
                         : "other";
}

Status collect_files(Context& context, Rows& rows) {
  WalkLimits limits;
  limits.entries_max = kLogFilesMax;
  limits.untouched = sdk::foreign_mounts(context.root()).value_or({});
  limits.is_over = [&context] { return context.remaining().count() == 0; };
  const auto entries =
      walk(context.root(), {"/var/log"}, limits,
           [&rows](const std::string& path, const Error& error) { rows.gap(path, error); });
  if (!entries) return entries.error();
  std::string state = "log_files 1";
  for (const FileEntry& entry : *entries) {
    if (is_archived_journal(entry.path)) continue;
    const struct stat& status = entry.status;
    state.append("\n").append(entry.path);
    fmt::format_to(std::back_inserter(state), " {} {} {}", status.st_mode, status.st_uid,
                   status.st_gid);
  }
  if (rows.unchanged(sha256_hex(state))) return Ok{};
  for (const FileEntry& entry : *entries) {
    if (is_archived_journal(entry.path)) continue;
    const struct stat& status = entry.status;
    rows.add({entry.path, kind_of(status.st_mode), facts::mode_text(status.st_mode), status.st_uid,
              status.st_gid});
  }
  return Ok{};
}

}  // namespace

sdk::Table log_settings_table() {
  return {
      .name = "log_settings",
      .title = "Settings of journald and auditd",
      .columns =
          {sdk::text("service", "journald, auditd").key(), sdk::text("name", "Lower case").key(),
           sdk::occurrence(), sdk::text("value", "In effect, as written"),
           sdk::integer("number", "Seconds of a time span, bytes of a size").nullable("neither"),
           sdk::bytes("source", "The file that has the last word")
               .nullable("the built-in default")},
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect_settings};
}

sdk::Table log_targets_table() {
  return {
      .name = "log_targets",
      .title = "Hosts that logs are sent to",
      .columns = {sdk::text("service", "rsyslog, syslog-ng, journal-upload, audisp-remote").key(),
                  sdk::text("target", "Host, host:port or URL").key().redact(Redaction::url),
                  sdk::text("protocol", "udp, tcp, relp, http, https").key(), sdk::occurrence(),
                  sdk::boolean("encrypted", "By TLS or Kerberos"),
                  sdk::bytes("source", "The file")},
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect_targets};
}

sdk::Table log_rotations_table() {
  return {.name = "log_rotations",
          .title = "What logrotate does with which logs",
          .columns = {sdk::bytes("path", "Pattern").key(), sdk::bytes("source", "The file").key(),
                      sdk::occurrence(), sdk::text("period", "hourly … yearly; size"),
                      sdk::integer("rotate", "How many are kept; -1: all"),
                      sdk::integer("max_age_days", "maxage").nullable("no limit of age"),
                      sdk::text("size", "size").nullable("rotated by time alone")},
          .collect = collect_rotations};
}

sdk::Table log_files_table() {
  return {.name = "log_files",
          .title = "Owner and mode of all below /var/log; of journals those in use",
          .columns = {sdk::bytes("path", "Path").key(),
                      sdk::text("type", "regular, directory, symlink, other"),
                      sdk::text("mode", "Four octal digits"), sdk::integer("uid", "Owner"),
                      sdk::integer("gid", "Group")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_files};
}

}  // namespace vouch::drift
