// SPDX-License-Identifier: Apache-2.0
#include "alerts/rules.h"

#include <catch2/catch.hpp>

#include "alerts/channel_spec.h"

namespace vouch::alerts {
namespace {

std::string message_of(const std::string& text) {
  const auto rules = parse_rules(text, "a.yaml");
  return rules ? "(accepted)" : rules.error().message;
}

// The message for one channel, without the place.
std::string channel(const std::string& keys) {
  const auto message = message_of("channels: { c: { " + keys + " } }\nrules: []\n");
  const auto end = message.find(": ", message.find(':') + 1);
  return message == "(accepted)" ? message : message.substr(end + 2);
}

}  // namespace

TEST_CASE("a rule file is read whole", "[alerts]") {
  const auto rules = parse_rules(R"(
labels: { env: production }
rate_limit: { alerts: 5, per: 10m }
flapping: { changes: 4, within: 30m }
before: { waiver: 30d }
after: { silence: 2, undelivered: 1h }
above: { spool: 50 }
give_up: 1d
mappings: [/usr/share/vouch/policies/mappings]
channels:
  hook: { kind: webhook, url: "https://h.example.com/x?y=1", secret_file: /etc/k, timeout: 5s }
  chat: { kind: slack, url_file: slack-url, subject: "{sender}", text: "{title}" }
  mail: { kind: smtp, url: "smtp://m.example.com:587", user: u, password_file: /p,
          from: v@example.com, to: [a@example.com, b@example.com], ca_file: /ca.pem }
  relay: { kind: smtp, url: "smtp://127.0.0.1:25", tls: none, from: v@h, to: [root@h] }
  am: { kind: alertmanager, url: "http://localhost:9093", token_file: am }
  log: { kind: syslog }
rules:
  - name: first
    match: { severity: critical, kinds: [control-drift], controls: ["a*", b], labels: { env: "prod*" } }
    channels: [hook, mail]
    continue: true
    group_by: [control, host]
    group_wait: 10s
    group_interval: 2m
    repeat_interval: 1d
    resolved: false
  - { name: rest, channels: [log] }
)",
                                 "a.yaml");
  if (!rules) FAIL(rules.error().message);

  CHECK(rules->labels == Labels{{"env", "production"}});
  CHECK(rules->limit_alerts == 5);
  CHECK(rules->limit_per_s == 600);
  CHECK(rules->flap_changes == 4);
  CHECK(rules->waiver_s == 30 * 86400);
  CHECK(rules->silence_intervals == 2);
  CHECK(rules->undelivered_s == 3600);
  CHECK(rules->spool_percent == 50);
  CHECK(rules->give_up_s == 86400);
  CHECK(rules->mappings.size() == 1);
  REQUIRE(rules->channels.size() == 6);
  const ChannelSpec& mail = *rules->find_channel("mail");
  CHECK(mail.kind == ChannelKind::smtp);
  CHECK(mail.tls);
  CHECK(mail.to.size() == 2);
  CHECK_FALSE(rules->find_channel("relay")->tls);
  CHECK(rules->find_channel("hook")->timeout_s == 5);
  CHECK(rules->find_channel("log")->socket == "/dev/log");
  const Rule& first = rules->rules[0];
  CHECK(first.goes_on);
  CHECK_FALSE(first.resolved);
  CHECK(first.group_by == std::vector<std::string>{"control", "host"});
  CHECK(first.repeat_s == 86400);
}

TEST_CASE("what is wrong in a rule file is told with its place and what is allowed", "[alerts]") {
  const std::string channels = "channels: { ops: { kind: journal } }\n";
  CHECK(message_of("rules: []\n") == "a.yaml:1:1: channels: missing");
  CHECK(message_of(channels) == "a.yaml:1:1: rules: missing");
  CHECK(message_of(channels + "rules: []\ncolour: red\n").find("a.yaml:3:1: unknown key") == 0);
  CHECK(message_of(channels + "rules: [{ channels: [ops] }]\n") ==
        "a.yaml:2:9: a rule needs a name");
  CHECK(message_of(channels + "rules: [{ name: a, channels: [nobody] }]\n") ==
        "a.yaml:2:30: channels: expected a list of channels of this file");
  CHECK(message_of(channels + "rules: [{ name: a }, { name: a }]\n") ==
        "a.yaml:2:22: there are two rules \"a\"");
  CHECK(message_of(channels + "rules: [{ name: a, match: { severity: bad } }]\n") ==
        "a.yaml:2:39: severity: expected low, medium, high or critical");
  CHECK(message_of(channels + "rules: [{ name: a, match: { kinds: [rain] } }]\n")
            .find("a.yaml:2:36: kinds: expected a list of kinds: control-drift, ") == 0);
  CHECK(message_of(channels + "rules: [{ name: a, match: { labels: { kind: x } } }]\n") ==
        "a.yaml:2:39: \"kind\" cannot be the name of a label");
  CHECK(message_of(channels + "rules: [{ name: a, repeat_interval: often }]\n")
            .find("a.yaml:2:37: repeat_interval: expected a time") == 0);
  CHECK(message_of(channels + "rules: []\nrate_limit: { alerts: 0 }\n") ==
        "a.yaml:3:23: alerts: 0 is not between 1 and 1000");
  CHECK(message_of("channels: { \"a b\": { kind: journal } }\nrules: []\n") ==
        "a.yaml:1:13: \"a b\" cannot be the name of a channel");
}

TEST_CASE("an address without TLS is accepted on the loopback only", "[alerts]") {
  CHECK(is_usable_url("https://h.example.com/x", "https", "http"));
  CHECK(is_usable_url("http://127.0.0.1:9093", "https", "http"));
  CHECK(is_usable_url("http://[::1]:9093/", "https", "http"));
  CHECK(is_usable_url("smtp://mail.example.com:587", "smtps", "smtp"));
  const auto bad = GENERATE(as<std::string>{}, "http://h.example.com/", "ftp://h/x", "file:///etc",
                            "https://", "https:///x", "https://user:pass@h/", "h.example.com", "",
                            "https://h/a b", "https://h/\r\nx", "http://127.0.0.1.example.com/",
                            "http://localhost@h.example.com/", "HTTPS://h/", "gopher://127.0.0.1/");
  CAPTURE(bad);
  CHECK_FALSE(is_usable_url(bad, "https", "http"));
}

TEST_CASE("a channel that could not work is found when the file is read", "[alerts]") {
  CHECK(channel("url: \"https://h/\"") == "channel c needs a kind");
  CHECK(channel("kind: pigeon").find("kind: expected one of webhook, ") == 0);
  CHECK(channel("kind: webhook") == "a channel needs a url");
  CHECK(channel("kind: slack, url: \"https://h/\", url_file: /u") ==
        "either url or url_file, not both");
  CHECK(channel("kind: slack, url: \"http://h.example.com/\"").find("url: expected an https://") ==
        0);
  CHECK(channel("kind: smtp, url: \"smtp://h:25\", from: a@b") == "smtp needs `from` and `to`");
  CHECK(channel("kind: smtp, url: \"smtp://h:25\", from: \"a@b\\r\\nBcc: c@d\", to: [c@d]")
            .find("from: expected an address") == 0);
  CHECK(channel("kind: smtp, url: \"smtp://h:25\", from: a@b, to: [c@d], tls: none") ==
        "tls: none is for a loopback address only");
  CHECK(channel("kind: smtp, url: \"smtp://h:25\", from: a@b, to: [c@d], user: u") ==
        "user and password_file go together");
  CHECK(channel("kind: journal, url: \"https://h/\"").find("unknown key \"url\"") == 0);
  CHECK(channel("kind: journal, socket: run/x") == "socket: expected an absolute path");
  CHECK(channel("kind: journal, text: \"{nonsense}\"").find("text: no {nonsense}; there is ") == 0);
  CHECK(channel("kind: webhook, url: \"https://h/\", secret_file: ../x")
            .find("secret_file: expected an absolute path, or") == 0);
  CHECK(channel("kind: webhook, url: \"https://h/\", timeout: 5m") ==
        "timeout: 5m is not between 1 and 60 seconds");
}

TEST_CASE("a match holds when all that it names does", "[alerts]") {
  Condition condition;
  condition.kind = kind::kControlDrift;
  condition.severity = Severity::high;
  condition.labels = {{"control", "dormant-accounts"}, {"env", "production"}};
  Match match;
  CHECK(matches(match, condition));

  match = {Severity::high, {"control-drift"}, {"dormant-*"}, {{"env", "production"}}};
  CHECK(matches(match, condition));
  CHECK_FALSE(matches({Severity::critical, {}, {}, {}}, condition));
  CHECK_FALSE(matches({Severity::low, {"silence"}, {}, {}}, condition));
  CHECK_FALSE(matches({Severity::low, {}, {"dormant"}, {}}, condition));
  CHECK_FALSE(matches({Severity::low, {}, {}, {{"env", "staging"}}}, condition));
  CHECK_FALSE(matches({Severity::low, {}, {}, {{"team", "*"}, {"env", "x*"}}}, condition));
}

}  // namespace vouch::alerts
