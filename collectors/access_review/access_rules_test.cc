// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/access_rules.h"

#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD";

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer =
      sdk::run_collector(make_access_review(), tree.path(),
                         {.tables = {"access_rules", "polkit_rules", "trusted_user_ca_keys"}});
  CHECK(answer.violation == "");
  return answer;
}

}  // namespace

TEST_CASE("access rules have three fields, the last may hold colons", "[rules]") {
  const auto parsed = parse_access_conf(
      "# comment\n+ : root  @admins : LOCAL 2001:db8::/32\n-:ALL EXCEPT (wheel):ALL\n"
      "?:a:b\n+:only two\n");

  REQUIRE(parsed.entries.size() == 2);
  CHECK(parsed.entries[0].grants);
  CHECK(parsed.entries[0].users == "root @admins");
  CHECK(parsed.entries[0].origins == "LOCAL 2001:db8::/32");
  CHECK(parsed.entries[1].line == 3);
  CHECK(parsed.faults.size() == 2);
}

TEST_CASE("what a polkit rule speaks of is found in its text", "[rules]") {
  const auto rule = read_polkit_text(
      "polkit.addRule(function(action, subject) {\n"
      "  if (action.id == \"org.freedesktop.login1.reboot\" && subject.isInGroup('x'))\n"
      "    return polkit.Result.YES; // see org.freedesktop.policykit.exec.\n"
      "  if (action.id.indexOf(\"com.example.a-b.\") == 0) return polkit.Result.AUTH_ADMIN;\n});");

  CHECK(rule.grants);
  CHECK(rule.actions == std::vector<std::string>{"com.example.a-b", "org.freedesktop.login1.reboot",
                                                 "org.freedesktop.policykit.exec"});
  CHECK_FALSE(read_polkit_text("return polkit.Result.AUTH_ADMIN").grants);
  CHECK(read_polkit_text("[x]\nResultActive=yes\n").grants);
  CHECK(read_polkit_text(std::string(100'000, '.')).actions.empty());
}

TEST_CASE("rules and authorities of a host are rows, traps are gaps", "[rules]") {
  TestTree tree;
  tree.file("/etc/security/access.conf", "-:ALL:ALL\nbroken\n");
  tree.file("/etc/polkit-1/rules.d/49-x.rules", "return polkit.Result.YES", 0600);
  tree.file("/usr/share/polkit-1/rules.d/49-x.rules", "overridden");
  tree.fifo("/usr/share/polkit-1/rules.d/50-pipe.rules");
  tree.file("/etc/ssh/sshd_config",
            "TrustedUserCAKeys /etc/ssh/ca.pub\nTrustedUserCAKeys /etc/ssh/ignored.pub\n"
            "Match User ann\nTrustedUserCAKeys /etc/ssh/%u.pub\n"
            "Match User bob\nTrustedUserCAKeys /etc/ssh/gone.pub\n");
  tree.file("/etc/ssh/ca.pub", kKey + " ca\n");

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CHECK(answer.cell("access_rules", "line", "1", "users") == "ALL");
  CHECK(answer.has_gap("access_rules", "/etc/security/access.conf:2"));
  CHECK(answer.cell("polkit_rules", "path", "/etc/polkit-1/rules.d/49-x.rules", "grants") ==
        "true");
  CHECK(answer.cell("polkit_rules", "path", "/usr/share/polkit-1/rules.d/49-x.rules",
                    "effective") == "false");
  CHECK(answer.has_gap("polkit_rules", "/usr/share/polkit-1/rules.d/50-pipe.rules"));
  CHECK(answer.cell("trusted_user_ca_keys", "source", "/etc/ssh/ca.pub", "algorithm") ==
        "ssh-ed25519");
  CHECK(answer.tables.at("trusted_user_ca_keys").size() == 1);
  CHECK(answer.has_gap("trusted_user_ca_keys", "/etc/ssh/%u.pub"));
  CHECK(answer.has_gap("trusted_user_ca_keys", "/etc/ssh/gone.pub"));
}

TEST_CASE("a host without any of them has empty tables", "[rules]") {
  TestTree tree;

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("access_rules").empty());
  CHECK(answer.tables.at("polkit_rules").empty());
  CHECK(answer.tables.at("trusted_user_ca_keys").empty());
}
