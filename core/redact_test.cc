// SPDX-License-Identifier: Apache-2.0
#include "core/redact.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace vouch {
namespace {

const std::string kSecret = "S3cr3tV4lue";
const std::string kBase64Url36(36, 'a');

struct Planted {
  Redaction rule;
  std::string cell;  // kSecret stands in it.
};

std::vector<Planted> planted_secrets() {
  const auto url = Redaction::url;
  const auto command = Redaction::command;
  const auto environment = Redaction::environment;
  const std::string& s = kSecret;
  return {
      {url, "https://user:" + s + "@example.com/repo"},
      {url, "https://" + s + "@example.com/repo"},
      {url, "rest:https://user:" + s + "@example.com:8000/"},
      {url, "https://user:" + s + "/with#odd?signs@example.com/"},
      {url, "https://user:pa@" + s + "@example.com/"},
      {url, "https://example.com/?token=" + s + "&x=1"},
      {url, "https://example.com/?x=1;sig=" + s},
      {url, "https://example.com/?" + s},
      {url, "https://example.com/page#access=" + s},
      {url, "https://a.example,https://user:" + s + "@b.example"},
      {command, "curl -s https://user:" + s + "@example.com/x"},
      {command, "curl 'https://example.com/hook?key=" + s + "' | sh"},
      {command, "PGPASSWORD=" + s + " pg_dump app"},
      {command, "HARMLESS=" + s + " /usr/bin/job"},
      {command, "A=1 B='two " + s + " words' /usr/bin/job"},
      {command, "env FOO=" + s + " /usr/bin/job"},
      {command, "cd /srv && RESTIC=" + s + " restic backup"},
      {command, "cd /srv; RESTIC=\"a " + s + "\" restic backup"},
      {command, "mysqldump --password=" + s + " app"},
      {command, "mysqldump --password " + s + " app"},
      {command, "mysqldump --password = " + s + " app"},
      {command, "tool --db-pwd:" + s},
      {command, "tool --API_KEY=" + s},
      {command, "tool --apikey " + s},
      {command, "tool --private-key=\"x " + s + "\""},
      {command, "tool --auth --token " + s},
      {command, "tool --credential 'a b " + s + "'"},
      {command, "tool --secret a\\ " + s},
      {command, "docker run -e DB_PASSWORD=" + s + " image"},
      {command, "curl -H 'Authorization: Bearer " + s + "' https://example.com"},
      {command, "curl -H \"X-Auth-Token:" + s + " x\" https://example.com"},
      {command, "sh -c 'mysqldump --password=" + s + " app'"},
      {command, "sh -c \"PASS=" + s + " job\""},
      {command, "bash -c 'sh -c \"tool --token " + s + "\"'"},
      {command, "run --do=\"mail --password " + s + "\" now"},
      {command, "echo don't --password " + s},
      {command, "sh -c 'PASSWORD=" + s},
      {command, "\"--password=" + s + "\" x"},
      {environment, "FOO=" + s},
      {environment, "FOO=a BAR=" + s},
      {environment, "\"FOO=a " + s + "\" BAR=x"},
      {environment, "FOO=correct " + s + " horse"},
      {environment, "FOO=1\nBAR=two " + s + "\n"},
      {environment, s},
      {environment, "export FOO=" + s},
  };
}

// Cells that go as a whole, whatever their column.
std::vector<std::string> whole_cells() {
  return {
      "-----BEGIN PRIVATE KEY-----",
      "x -----BEGIN OPENSSH PRIVATE KEY----- y",
      "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
      "key AKIAIOSFODNN7EXAMPLE here",
      "ghp_" + kBase64Url36,
      "gho_" + kBase64Url36,
      "ghs_" + kBase64Url36 + "tail",
      "xoxb-1",
      "bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
      "root:$6$salt$hash:19000",
      "$1$abc$def",
      "$2b$10$abcdefghijklmnopqrstuv$",
      "$5$s$h",
      "$y$j9T$salt$hash",
      "$gy$j9T$salt$hash",
      "$7$C6$salt$hash",
      "\xff\xfe$6$salt$hash",
  };
}

}  // namespace

TEST_CASE("no planted secret survives its column's rule", "[redact]") {
  for (const auto& [rule, cell] : planted_secrets()) {
    CAPTURE(cell);
    const std::string out = redact(rule, cell);
    CAPTURE(out);
    CHECK(out.find(kSecret) == std::string::npos);
    CHECK(out.find(kRedacted) != std::string::npos);
    CHECK(redact(rule, out) == out);
  }
}

TEST_CASE("keys, tokens and crypt hashes take the whole cell with them, in every column",
          "[redact]") {
  for (const auto& cell : whole_cells()) {
    CAPTURE(cell);
    CHECK(holds_secret(cell));
    for (const auto rule :
         {Redaction::none, Redaction::url, Redaction::command, Redaction::environment}) {
      CHECK(redact(rule, cell) == kRedacted);
    }
  }
}

TEST_CASE("what merely resembles a secret stays", "[redact]") {
  const auto cell = GENERATE(
      as<std::string>{}, "-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "AKIA123",
      "AKIAiosfodnn7example", "ghp_short", "ghx_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "xoxz-1",
      "eyJhbGciOiJIUzI1NiJ9", "$6$", "$6$salt", "$3$a$b", "$HOME/$USER/x", "!", "*", "[redacted]");
  CAPTURE(cell);

  CHECK_FALSE(holds_secret(cell));
  CHECK(redact(Redaction::none, cell) == cell);
}

TEST_CASE("a URL keeps what is no secret", "[redact]") {
  const auto url = [](std::string_view cell) { return redact(Redaction::url, cell); };

  CHECK(url("http://deb.debian.org/debian") == "http://deb.debian.org/debian");
  CHECK(url("https://u:p@h:8443/a/b?x=1&y=2#z") ==
        "https://[redacted]@h:8443/a/b?x=[redacted]&y=[redacted]#[redacted]");
  CHECK(url("http://[::1]:8080/@scope/pkg") == "http://[::1]:8080/@scope/pkg");
  CHECK(url("https://example.com/@scope/pkg") == "https://example.com/@scope/pkg");
  CHECK(url("/srv/backup") == "/srv/backup");
  CHECK(url("sftp:backup@host:/srv") == "sftp:backup@host:/srv");
  CHECK(url("") == "");
}

TEST_CASE("a command keeps what is no secret", "[redact]") {
  const auto command = [](std::string_view cell) { return redact(Redaction::command, cell); };

  CHECK(command("/usr/bin/find / -name '*.tmp' -delete") ==
        "/usr/bin/find / -name '*.tmp' -delete");
  CHECK(command("test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }") ==
        "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }");
  CHECK(command("A=1 b.sh X=2") == "A=[redacted] b.sh X=2");
  CHECK(command("job --password x --verbose") == "job --password [redacted] --verbose");
  CHECK(command("job '--password=a b' y") == "job '--password=[redacted]' y");
  CHECK(command("dd if=/dev/sda of=/x") == "dd if=/dev/sda of=/x");
  CHECK(command("ALL") == "ALL");
}

TEST_CASE("an environment keeps its names", "[redact]") {
  const auto environment = [](std::string_view cell) {
    return redact(Redaction::environment, cell);
  };

  CHECK(environment("FOO=1 BAR='2 3'") == "FOO=[redacted] BAR=[redacted]");
  CHECK(environment("FOO=1\nBAR=2") == "FOO=[redacted]\nBAR=[redacted]");
  CHECK(environment("FOO=a b=c d") == "FOO=[redacted]");
  CHECK(environment("") == "");
}

TEST_CASE("redacting twice changes nothing, whatever the cell", "[redact]") {
  const std::vector<std::string> parts = {
      "--password", "=",   ":",      " ", "'",     "\"", "\\", ";",          "&",  "|",   "(",
      "FOO",        "x",   "://",    "@", "?",     "#",  "/",  "[redacted]", "\n", "env", "-t",
      "auth",       "$6$", "token=", "`", "https", "&&", "-",  "a b",        "$"};
  std::mt19937 random(20261121);
  for (int i = 0; i < 60'000; ++i) {
    std::string cell;
    for (auto n = random() % 14; n > 0; --n) cell += parts[random() % parts.size()];
    for (const auto rule : {Redaction::url, Redaction::command, Redaction::environment}) {
      const std::string once = redact(rule, cell);
      const std::string twice = redact(rule, once);
      if (twice != once) {
        CAPTURE(cell, once, twice, static_cast<int>(rule));
        FAIL("not idempotent");
      }
    }
  }
}

}  // namespace vouch
