// SPDX-License-Identifier: Apache-2.0
// The expectations were compared with `visudo -c` and `cvtsudoers` of sudo 1.9.13.
#include "collectors/access_review/sudoers.h"

#include <catch2/catch.hpp>

using namespace vouch::access;

namespace {

std::string shown(const std::vector<SudoItem>& items) {
  std::string out;
  for (const SudoItem& item : items) out += (item.negated ? "!" : "") + item.text + "|";
  return out;
}

// "users/hosts(run-as users:groups)tags:command;…" of the only rule.
std::string rule_of(const std::string& text) {
  const auto file = parse_sudoers(text);
  if (!file.faults.empty()) return "fault: " + file.faults[0].message;
  if (file.rules.size() != 1) return std::to_string(file.rules.size()) + " rules";
  std::string out = shown(file.rules[0].users);
  for (const auto& privilege : file.rules[0].privileges) {
    out += "/" + shown(privilege.hosts);
    for (const auto& command : privilege.commands) {
      if (command.run_as_given) {
        out += "(" + shown(command.run_as_users) + ":" + shown(command.run_as_groups) + ")";
      }
      for (const auto& tag : command.tags) out += tag + " ";
      out += shown({command.command}) + ";";
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a rule has users, hosts, run-as, tags and commands", "[sudoers]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"root ALL=(ALL:ALL) ALL", "root|/ALL|(ALL|:ALL|)ALL|;"},
      {"%sudo\tALL=(ALL:ALL)ALL # all of them", "%sudo|/ALL|(ALL|:ALL|)ALL|;"},
      {"#1000 ALL=/bin/x --a=b", "#1000|/ALL|/bin/x --a=b|;"},
      {"#-1 ALL=ALL", "#-1|/ALL|ALL|;"},
      {"a,%#27,%:ext,+net,\"two words\",dom\\\\x,a\\ b ALL=ALL",
       "a|%#27|%:ext|+net|two words|dom\\x|a b|/ALL|ALL|;"},
      {"a ALL, !web1 = (root, !www : adm) /bin/ls", "a|/ALL|!web1|(root|!www|:adm|)/bin/ls|;"},
      {"a ALL=(:adm) /bin/a", "a|/ALL|(:adm|)/bin/a|;"},
      {"a ALL=() /bin/a", "a|/ALL|(:)/bin/a|;"},
      {"a ALL=(root) NOPASSWD: NOEXEC: /bin/a, /bin/b, PASSWD: /bin/c",
       "a|/ALL|(root|:)NOEXEC NOPASSWD /bin/a|;(root|:)NOEXEC NOPASSWD /bin/b|;"
       "(root|:)NOEXEC PASSWD /bin/c|;"},
      {"a ALL=NOPASSWD :ALL", "a|/ALL|NOPASSWD ALL|;"},
      {"a ALL=CWD=/tmp TIMEOUT=5m /bin/z", "a|/ALL|CWD=/tmp TIMEOUT=5m /bin/z|;"},
      {"a w1=/bin/a : w2=/bin/b", "a|/w1|/bin/a|;/w2|/bin/b|;"},
      {"a 2001:db8::/32,10.0.0.0/8=/bin/a", "a|/2001:db8::/32|10.0.0.0/8|/bin/a|;"},
      {"a ALL=/usr/bin/, ALL, !/bin/su", "a|/ALL|/usr/bin/|;ALL|;!/bin/su|;"},
      {"a ALL=!!/bin/su", "a|/ALL|/bin/su|;"},
      {"a ALL=sudoedit /etc/hosts, sudoedit, list", "a|/ALL|sudoedit /etc/hosts|;sudoedit|;list|;"},
      {"a ALL=^/bin/(a|b):,$, /bin/x ^-a (f|b)$", "a|/ALL|^/bin/(a|b):,$|;/bin/x ^-a (f|b)$|;"},
      {"a ALL=/bin/y a\\:b \\=c \"q r\"", "a|/ALL|/bin/y a:b =c \"q r\"|;"},
      {"a ALL=/bin/y a\\,b, /bin/c \\*x", "a|/ALL|/bin/y a,b|;/bin/c \\*x|;"},
      {"a ALL=/bin/a c#d", "a|/ALL|/bin/a c|;"},
      {"a ALL=/bin/a \"\"", "a|/ALL|/bin/a \"\"|;"},
      {"a ALL=sha224:0GomF8m+Q==, sha256:ab12 /bin/ls",
       "a|/ALL|sha224:0GomF8m+Q==, sha256:ab12 /bin/ls|;"},
      {"a ALL = /bin/a \\\n  , /bin/b \\   \n", "a|/ALL|/bin/a|;/bin/b|;"},
      {"a \\\n ALL=/bin/x \\\n -f", "a|/ALL|/bin/x -f|;"},
  }));
  CAPTURE(text);

  CHECK(rule_of(text) == expected);
}

TEST_CASE("what visudo refuses is a fault with its line, and the other lines stand", "[sudoers]") {
  const auto bad =
      GENERATE(as<std::string>{}, "x ALL", "x ALL=", "x ALL=bin/a", "x y z=ALL", "x ALL=ALL,",
               "x ALL=(ALL) FOO: ALL", "x ALL=ALL : y", "x ALL=ALL=ALL", "x ALL=/bin/a b:c",
               "#5comment", "x#y ALL=ALL", "\"\" ALL=ALL", "X_Alias A=b", "User_Alias a=b",
               "User_Alias A=b,", "User_Alias ALL=b", "Defaults", "Defaults !", "Defaults !a=b",
               "Defaults env_keep+", "@include", "@include /etc/x y", "x ALL=(root ALL",
               "x ALL=list /x", "x ALL=^/bin/a", "x \"y ALL=ALL", "User_Alias A=b\nUser_Alias A=c");
  CAPTURE(bad);

  const auto file = parse_sudoers("a ALL=ALL\n" + bad + "\nb ALL=ALL\n");

  REQUIRE(file.faults.size() == 1);
  CHECK(file.faults[0].line == (bad.find('\n') == std::string::npos ? 2 : 3));
  CHECK(file.rules.size() == 2);
}

TEST_CASE("comments are no statements, and a comment is not continued", "[sudoers]") {
  const auto file = parse_sudoers("# one \\\na ALL=ALL\n#two\n # 5\n#includedir\n\n  \\\n\n");

  CHECK(file.faults.empty());
  CHECK(file.rules.size() == 1);
  CHECK(file.includes.empty());
}

TEST_CASE("includes in all their forms", "[sudoers]") {
  const auto file = parse_sudoers(
      "@include /etc/a\n#include /etc/b # why\n  @includedir /etc/c.d\n#includedir d\n"
      "@include \"/etc/e f\"\n@include /etc/g\\ h\n");

  REQUIRE(file.faults.empty());
  std::string shown_paths;
  for (const auto& include : file.includes) {
    shown_paths += include.path + (include.is_directory ? "/|" : "|");
  }
  CHECK(shown_paths == "/etc/a|/etc/b|/etc/c.d/|d/|/etc/e f|/etc/g h|");
  CHECK(file.includes[3].line == 4);
}

TEST_CASE("defaults have scope, sign and value", "[sudoers]") {
  const auto file = parse_sudoers(
      "Defaults env_keep += \"A B\", !authenticate, timestamp_timeout=-1, passprompt=\"x, y\"\n"
      "Defaults:ann,ADMINS !lecture\n"
      "Defaults!/bin/ls,CMNDS noexec\n"
      "Defaults>root set_home\n"
      "Defaults@web1,web2 log_host\n"
      "Defaults:%adm secure_path=/bin:/usr/bin\n"
      "Defaults env_delete-=X\n");

  REQUIRE(file.faults.empty());
  std::string out;
  for (const auto& option : file.defaults) {
    out +=
        option.scope + " " + (option.negated ? "!" : "") + option.name + " " + option.value + "|";
  }
  CHECK(out ==
        " env_keep +=A B| !authenticate | timestamp_timeout -1| passprompt x, y|"
        ":ann,ADMINS !lecture |!/bin/ls,CMNDS noexec |>root set_home |@web1,web2 log_host |"
        ":%adm secure_path /bin:/usr/bin| env_delete -=X|");
}

TEST_CASE("aliases of all kinds are kept with their members", "[sudoers]") {
  const auto file = parse_sudoers(
      "User_Alias A = a, !b : B = %c\nRunas_Alias R=#0\nHost_Alias H=fe80::1\n"
      "Cmnd_Alias C=/bin/a \"\" , /bin/b *, !SHELLS\nCmd_Alias D=/bin/d\n");

  REQUIRE(file.faults.empty());
  REQUIRE(file.aliases.size() == 6);
  CHECK(shown(file.aliases[0].members) == "a|!b|");
  CHECK(file.aliases[1].name == "B");
  CHECK(shown(file.aliases[2].members) == "#0|");
  CHECK(shown(file.aliases[3].members) == "fe80::1|");
  CHECK(shown(file.aliases[4].members) == "/bin/a \"\"|/bin/b *|!SHELLS|");
  CHECK(file.aliases[5].kind == SudoAlias::Kind::command);
}
