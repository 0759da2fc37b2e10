// SPDX-License-Identifier: Apache-2.0
// Where logs are sent, as the configurations of the logging daemons say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct LogTarget {
  std::string service;   // "rsyslog", "syslog-ng", "journal-upload", "audisp-remote"
  std::string target;    // Host, host:port or URL.
  std::string protocol;  // "udp", "tcp", "relp", "http", "https"
  bool encrypted = false;
};

// rsyslog.conf(5): `*.* @host`, `@@host:port`, `:omrelp:host:port`, action(type="omfwd" …) and
// action(type="omrelp" …). `includes` gets the patterns of $IncludeConfig and include().
struct RsyslogFile {
  std::vector<LogTarget> targets;
  std::vector<std::string> includes;
  bool encrypts_by_default = false;  // $ActionSendStreamDriverMode 1
};
RsyslogFile parse_rsyslog(std::string_view text);

// syslog-ng.conf(5): the network drivers of destinations.
std::vector<LogTarget> parse_syslog_ng(std::string_view text);

}  // namespace vouch::drift
