// SPDX-License-Identifier: Apache-2.0
#include "alerts/bodies.h"

#include <catch2/catch.hpp>

#include "alerts/wording.h"
#include "alerts/wording_test.h"
#include "core/json.h"

namespace vouch::alerts {
namespace {

json::Value read(const std::string& body) {
  const auto value = json::parse(body);
  if (!value) FAIL(value.error().message);
  return *value;
}

const json::Value& at(const json::Value& value, std::string_view key) {
  const auto* found = value.find(key);
  REQUIRE(found != nullptr);
  return *found;
}

const json::Value& at(const json::Value& value, std::size_t index) {
  REQUIRE(value.if_array() != nullptr);
  REQUIRE(value.if_array()->size() > index);
  return (*value.if_array())[index];
}

std::string text(const json::Value& value) {
  REQUIRE(value.if_string() != nullptr);
  return *value.if_string();
}

}  // namespace

TEST_CASE("an alert is worded with finding, value, criterion, since when and remedy", "[alerts]") {
  const auto words = word(sample_alert(), {});

  CHECK(words.subject == "[high] web-01: No login account unused for 90 days (firing, 1)");
  REQUIRE(words.texts.size() == 1);
  CHECK(words.texts[0] == R"(firing: [high] No login account unused for 90 days
Host: web-01
Found: 7 rows violate it
  {"username":"bob"}
  {"username":"<eve> & *co*"}
  and 5 more
Expected: max_days = 90
Criteria: soc2-2017 CC6.1
Since: 2026-09-21T14:13:20Z
To mend it: Disable it with `usermod --expiredate 1 NAME`)");
}

TEST_CASE("a channel's own templates are used, a repeat says that it is one", "[alerts]") {
  ChannelSpec spec;
  spec.subject = "{n} {sender} {count}";
  spec.text = "{status} {label.check} {label.none}";
  Alert alert = sample_alert();
  alert.repeat = true;

  const auto words = word(alert, spec);

  CHECK(words.subject == "17 web-01 1");
  CHECK(words.texts[0] == "still firing dormant-accounts.login ");
}

TEST_CASE("a digest and a test say what they are", "[alerts]") {
  const auto digest = word(sample_digest(), {});
  CHECK(digest.subject == "[critical] web-01: alerts held back by the rate limit (held back, 24)");
  CHECK(digest.texts[0] ==
        "Held back since 2026-09-21T14:13:20Z by the rate limit: 21 firing, 3 "
        "resolved (4 critical, 20 low).\n  firing: One\n  firing: Two\n  and 22 "
        "more");
  const auto test = word(sample_test(), {});
  CHECK(test.subject == "[low] web-01: a test (test, 0)");
  CHECK(test.texts[0] == "A test of channel ops by web-01. Nothing is wrong.");
}

TEST_CASE("a webhook's body is the alert with the time of sending, and is signed", "[alerts]") {
  const auto body = webhook_body(sample_alert(), 1'790'000'000'391);

  CHECK(text(at(read(body), "sent")) == "2026-09-21T14:13:20.391Z");
  CHECK(parse_alert(body));
  // printf %s what do ya want for nothing? | openssl dgst -sha256 -hmac Jefe (RFC 4231, case 2)
  CHECK(webhook_signature("Jefe", "what do ya want for nothing?") ==
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("nothing in a text is markup for Slack", "[alerts]") {
  Alert alert = sample_alert();
  alert.conditions[0].condition.title = "<!channel> & <https://evil.example|here>";

  const auto value = read(slack_body(alert, {}));

  CHECK(text(at(value, "text")).find("&lt;!channel&gt; &amp; &lt;https:") != std::string::npos);
  CHECK(slack_body(alert, {}).find("<!channel>") == std::string::npos);
  const auto& attachment = at(at(value, "attachments"), 0);
  CHECK(text(at(attachment, "color")) == "#e65100");
  CHECK(at(attachment, "mrkdwn_in").if_array()->empty());
}

TEST_CASE("a chat gets what it can show, and the count of the rest", "[alerts]") {
  Alert alert = sample_alert();
  alert.conditions.resize(kAlertConditionsMax, alert.conditions[0]);

  const auto value = read(slack_body(alert, {}));
  const auto* attachments = at(value, "attachments").if_array();

  REQUIRE(attachments->size() == 21);
  CHECK(text(at(attachments->back(), "text")).find("and 30 more") != std::string::npos);
  CHECK(teams_body(alert, {}).size() < 28'000);
}

TEST_CASE("a card for Teams holds runs of text alone, which are never read as Markdown",
          "[alerts]") {
  const auto value = read(teams_body(sample_alert(), {}));

  const auto& attachment = at(at(value, "attachments"), 0);
  CHECK(text(at(attachment, "contentType")) == "application/vnd.microsoft.card.adaptive");
  const auto* blocks = at(at(attachment, "content"), "body").if_array();
  REQUIRE(blocks->size() == 2);
  for (const auto& block : *blocks) {
    CHECK(text(at(block, "type")) == "RichTextBlock");
    CHECK(text(at(at(at(block, "inlines"), 0), "type")) == "TextRun");
  }
}

TEST_CASE("Alertmanager is told how long a firing alert holds, and when one has ended",
          "[alerts]") {
  Alert alert = sample_alert();
  ToldCondition over = alert.conditions[0];
  over.status = ConditionStatus::resolved;
  over.ended = 1'790'000'060'000;
  over.holds_until = 0;
  alert.conditions.push_back(over);

  const auto value = read(alertmanager_body(alert, {}));

  CHECK(text(at(at(value, 0), "endsAt")) == "2026-09-22T14:13:20.000Z");
  CHECK(text(at(at(value, 1), "endsAt")) == "2026-09-21T14:14:20.000Z");
  const auto& labels = at(at(value, 0), "labels");
  CHECK(text(at(labels, "alertname")) == "control-drift");
  CHECK(text(at(labels, "severity")) == "high");
  CHECK(text(at(labels, "host")) == "web-01");
  CHECK(labels == at(at(value, 1), "labels"));  // Else the end is that of another alert.
  const auto test = read(alertmanager_body(sample_test(), {}));
  CHECK(text(at(at(at(test, 0), "labels"), "alertname")) == "vouch-test");
}

}  // namespace vouch::alerts
