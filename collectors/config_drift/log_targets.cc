// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/log_targets.h"

#include <algorithm>
#include <map>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

using facts::lower_case;
using facts::take_word;
using facts::trim;

// The parameters of `action(name="value" …)`, which begins at `text`; names in lower case. Ends at
// the bracket that is in no quotes, and removes what it read.
std::map<std::string, std::string> take_parameters(std::string_view& text) {
  std::map<std::string, std::string> found;
  while (!text.empty() && text[0] != ')') {
    const std::size_t start = text.find_first_not_of(" \t\r\n,");
    if (start == std::string_view::npos) return text = {}, found;
    text.remove_prefix(start);
    const std::size_t equals = text.find_first_of("=) \t\r\n");
    if (equals == std::string_view::npos) return text = {}, found;
    const std::string name = lower_case(text.substr(0, equals));
    text.remove_prefix(equals);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with('=')) {
      if (name.empty() && !text.empty() && text[0] != ')') text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with('"')) continue;  // A list: none that concerns us.
    const std::size_t end = text.find('"', 1);
    found[name] = std::string(text.substr(1, end == std::string_view::npos ? end : end - 1));
    text.remove_prefix(std::min(text.size(), end == std::string_view::npos ? end : end + 1));
  }
  return found;
}

std::string with_port(const std::string& host, const std::string& port) {
  return port.empty() ? host : host + ":" + port;
}

void add_action(std::map<std::string, std::string> values, RsyslogFile& out) {
  const std::string type = lower_case(values["type"]);
  if (type == "omfwd" && !values["target"].empty()) {
    std::string protocol = lower_case(values["protocol"]);
    if (protocol.empty()) protocol = "udp";
    const std::string driver = lower_case(values["streamdriver"]);
    const bool is_encrypted = values["streamdrivermode"] == "1" && driver != "ptcp";
    out.targets.push_back({"rsyslog", with_port(values["target"], values["port"]), protocol,
                           is_encrypted && protocol == "tcp"});
  } else if (type == "omrelp" && !values["target"].empty()) {
    out.targets.push_back({"rsyslog", with_port(values["target"], values["port"]), "relp",
                           lower_case(values["tls"]) == "on"});
  }
}

// "@@(o)host:port;template"
void add_legacy(std::string_view action, RsyslogFile& out) {
  constexpr std::string_view kRelp = ":omrelp:";
  const bool is_relp = action.starts_with(kRelp);
  const bool is_tcp = action.starts_with("@@");
  action.remove_prefix(is_relp ? kRelp.size() : is_tcp ? 2 : 1);
  if (action.starts_with('(')) {
    action.remove_prefix(std::min(action.size(), action.find(')') + 1));
  }
  const std::string_view target = trim(action.substr(0, action.find(';')));
  if (target.empty()) return;
  out.targets.push_back({"rsyslog", std::string(target),
                         is_relp  ? "relp"
                         : is_tcp ? "tcp"
                                  : "udp",
                         is_tcp && out.encrypts_by_default});
}

// Statements with brackets may span lines; the rest is lines.
void take_statements(std::string_view text, RsyslogFile& out) {
  for (std::size_t at = text.find('('); at != std::string_view::npos; at = text.find('(')) {
    const std::string_view before = trim(text.substr(0, at));
    const std::string name = lower_case(before.substr(before.find_last_of(" \t\r\n{};)") + 1));
    text.remove_prefix(at + 1);
    if (name != "action" && name != "include" && name != "global") continue;
    const auto values = take_parameters(text);
    if (name == "action") add_action(values, out);
    if (name == "include" && values.contains("file")) out.includes.push_back(values.at("file"));
  }
}

std::string without_comments(std::string_view text) {
  std::string out;
  facts::each_line(text, [&](std::string_view line, int) {
    bool is_quoted = false;
    std::size_t end = 0;
    for (; end < line.size() && (is_quoted || line[end] != '#'); ++end) {
      if (line[end] == '"') is_quoted = !is_quoted;
    }
    out.append(line.substr(0, end)) += '\n';
  });
  return out;
}

void take_legacy_line(std::string_view line, RsyslogFile& out) {
  std::string_view rest = line;
  const std::string first = lower_case(take_word(rest));
  rest = trim(rest);
  if (first == "$includeconfig") out.includes.emplace_back(rest);
  if (first == "$actionsendstreamdrivermode") out.encrypts_by_default = rest == "1";
  const bool is_rule =
      first.find('.') != std::string::npos || line.starts_with(':') || line.starts_with('&');
  if (!is_rule) return;
  // The action is the last word that names a host; the filter before it may hold quotes.
  for (const std::string_view mark : {"@", ":omrelp:"}) {
    std::size_t at = 0;
    while ((at = line.find(mark, at)) != std::string_view::npos) {
      const bool begins_word = at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t';
      if (begins_word) return add_legacy(line.substr(at), out);
      ++at;
    }
  }
}

// The host in `network("host" …)`: the first string, or that of ip()/host().
std::string first_string(std::string_view text) {
  const std::size_t start = text.find('"');
  if (start == std::string_view::npos) return "";
  return std::string(text.substr(start + 1, text.find('"', start + 1) - start - 1));
}

// The text up to the bracket that closes the one before it.
std::string_view take_bracket(std::string_view& text) {
  int depth = 1;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) {
      const std::string_view body = text.substr(0, i);
      text.remove_prefix(i + 1);
      return body;
    }
  }
  const std::string_view body = text;
  text = {};
  return body;
}

// The value in brackets or quotes after `name(`; empty if it is not there.
std::string option_of(std::string_view body, std::string_view name) {
  const std::size_t at = body.find(std::string(name) + "(");
  if (at == std::string_view::npos) return "";
  std::string_view rest = body.substr(at + name.size() + 1);
  std::string value(trim(take_bracket(rest)));
  std::erase(value, '"');
  return lower_case(value);
}

}  // namespace

RsyslogFile parse_rsyslog(std::string_view text) {
  RsyslogFile out;
  const std::string clean = without_comments(text);
  facts::each_line(clean, [&](std::string_view line, int) { take_legacy_line(line, out); });
  take_statements(clean, out);
  return out;
}

std::vector<LogTarget> parse_syslog_ng(std::string_view text) {
  std::vector<LogTarget> targets;
  const std::string clean = without_comments(text);
  std::string_view rest = clean;
  bool in_destination = false;
  while (!rest.empty()) {
    const std::size_t at = rest.find('(');
    if (at == std::string_view::npos) break;
    const std::string_view before = rest.substr(0, at);
    for (const std::string_view word : {"destination", "source", "log", "filter", "options"}) {
      const std::size_t begin = before.find(word);
      const bool is_block =
          begin != std::string_view::npos && before.find('{', begin) != before.npos;
      if (is_block) in_destination = word == "destination";
    }
    const std::string_view tail = trim(before);
    const std::string driver(tail.substr(tail.find_last_of(" \t\n{};") + 1));
    rest.remove_prefix(at + 1);
    const std::string_view body = take_bracket(rest);
    const bool is_network = driver == "network" || driver == "syslog" || driver == "tcp" ||
                            driver == "udp" || driver == "tcp6" || driver == "udp6";
    if (!in_destination || !is_network) continue;
    std::string protocol = option_of(body, "transport");
    if (protocol.empty()) protocol = driver.starts_with("udp") ? "udp" : "tcp";
    const std::string port = option_of(body, "port");
    const bool is_tls = protocol == "tls" || body.find("tls(") != std::string_view::npos;
    targets.push_back({"syslog-ng", with_port(first_string(body), port),
                       protocol == "tls" ? "tcp" : protocol, is_tls});
  }
  return targets;
}

}  // namespace vouch::drift
