// SPDX-License-Identifier: Apache-2.0
// The table time_sources.
#include "collectors/config_drift/time_sources.h"

#include <algorithm>
#include <set>

#include "collectors/config_drift/config_drift.h"
#include "collectors/facts/lines.h"
#include "collectors/facts/systemd_config.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::size_t kFilesMax = 200;

void add_timesyncd(const Root& root, Rows& rows) {
  const auto config = facts::read_systemd_config(root, "timesyncd.conf");
  for (const auto& [path, error] : config.gaps) rows.gap(path, error);
  for (const std::string key : {"NTP", "FallbackNTP"}) {
    const auto found = config.settings.find({"Time", key});
    if (found == config.settings.end()) continue;
    for (const std::string_view address : facts::words_of(found->second.value)) {
      rows.add({"timesyncd", key == "NTP" ? "server" : "fallback", address, false,
                found->second.source});
    }
  }
}

// The main file, and the *.conf and *.sources of the directories that it names.
void add_daemon(const Root& root, Rows& rows, std::string_view service, const std::string& main) {
  std::vector<std::string> files = {main};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < files.size() && i < kFilesMax; ++i) {
    if (!seen.insert(files[i]).second) continue;
    const auto text = root.read(files[i], kConfigBytesMax);
    if (!text) {
      if (text.error().code != Errc::not_found) rows.gap(files[i], text.error());
      continue;
    }
    const TimeSourcesFile file = parse_time_sources(*text);
    for (const TimeSource& source : file.sources) {
      rows.add({service, source.kind, source.address, source.authenticated, files[i]});
    }
    for (const std::string& path : file.directories) {
      const auto names = root.list(path);
      if (!names && root.exists(path)) files.push_back(path);
      for (const std::string& name : names.value_or({})) {
        const bool is_taken = name.ends_with(".conf") || name.ends_with(".sources");
        if (is_taken) files.push_back(path + "/" + name);
      }
    }
  }
}

Status collect(Context& context, Rows& rows) {
  const Root& root = context.root();
  add_timesyncd(root, rows);
  add_daemon(root, rows, "chrony", "/etc/chrony/chrony.conf");
  add_daemon(root, rows, "chrony", "/etc/chrony.conf");
  add_daemon(root, rows, "ntp", "/etc/ntp.conf");
  add_daemon(root, rows, "ntpsec", "/etc/ntpsec/ntp.conf");
  add_daemon(root, rows, "openntpd", "/etc/openntpd/ntpd.conf");
  return Ok{};
}

}  // namespace

TimeSourcesFile parse_time_sources(std::string_view text) {
  TimeSourcesFile out;
  facts::each_line(text, [&](std::string_view line, int) {
    if (line[0] == '!' || line[0] == ';' || line[0] == '%') return;  // Comments of chrony.
    const auto words = facts::words_of(line);
    if (words.size() < 2) return;
    const std::string keyword = facts::lower_case(words[0]);
    if (keyword == "confdir" || keyword == "sourcedir" || keyword == "include" ||
        keyword == "includefile") {
      for (std::size_t i = 1; i < words.size(); ++i) out.directories.emplace_back(words[i]);
      return;
    }
    const bool is_source = keyword == "server" || keyword == "servers" || keyword == "pool" ||
                           keyword == "peer" || keyword == "refclock";
    if (!is_source) return;
    TimeSource source{keyword == "servers" ? "pool" : keyword, std::string(words[1]), false};
    for (std::size_t i = 2; i < words.size(); ++i) {
      source.authenticated = source.authenticated || words[i] == "nts" || words[i] == "key";
    }
    // "server -4 HOST" of ntp.conf.
    if ((words[1] == "-4" || words[1] == "-6") && words.size() > 2) source.address = words[2];
    out.sources.push_back(std::move(source));
  });
  return out;
}

sdk::Table time_sources_table() {
  return {.name = "time_sources",
          .title = "Servers that the time daemons are configured with",
          .columns = {sdk::text("service", "timesyncd, chrony, ntp, ntpsec, openntpd").key(),
                      sdk::text("kind", "server, pool, peer, refclock, fallback").key(),
                      sdk::text("address", "Host, address or driver").key(), sdk::occurrence(),
                      sdk::boolean("authenticated", "By NTS or a key"),
                      sdk::bytes("source", "The file")},
          .collect = collect};
}

}  // namespace vouch::drift
