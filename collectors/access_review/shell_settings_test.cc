// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/shell_settings.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

using namespace vouch::access;

namespace {

// "line name=value rxc" for each setting.
std::string settings(std::string_view text) {
  std::string out;
  for (const ShellSetting& setting : parse_shell_settings(text)) {
    out += fmt::format("{} {}={}{}{}{}\n", setting.line, setting.name, setting.value,
                       setting.readonly ? " readonly" : "", setting.exported ? " exported" : "",
                       setting.conditional ? " conditional" : "");
  }
  return out;
}

}  // namespace

TEST_CASE("TMOUT and umask are found however they are written", "[shell]") {
  CHECK(settings("TMOUT=600\nreadonly TMOUT\nexport TMOUT\n") ==
        "1 TMOUT=600\n2 TMOUT= readonly\n3 TMOUT= exported\n");
  CHECK(settings("\n  declare -xr TMOUT='900' ; umask 027 # TMOUT=1\n") ==
        "2 TMOUT=900 readonly exported\n2 umask=027\n");
  CHECK(settings("typeset -r \\\n  TMOUT=\"300\"\numask -S u=rwx,g=,o=") ==
        "1 TMOUT=300 readonly\n3 umask=u=rwx,g=,o=\n");
  CHECK(settings("A=1 TMOUT=5 B=2; unset X TMOUT\nset autologout = 15\n") ==
        "1 TMOUT=5\n1 TMOUT=unset\n2 autologout=15\n");
}

TEST_CASE("what only sometimes holds is conditional", "[shell]") {
  CHECK(settings("if [ \"$UID\" = 0 ]; then\n  TMOUT=1\nelse\n  TMOUT=2\nfi\nTMOUT=3\n") ==
        "2 TMOUT=1 conditional\n4 TMOUT=2 conditional\n6 TMOUT=3\n");
  CHECK(settings("[ -z \"$TMOUT\" ] && export TMOUT=4\nf() { umask 077; }\nfalse || umask 0\n") ==
        "1 TMOUT=4 exported conditional\n2 umask=077 conditional\n3 umask=0 conditional\n");
  CHECK(settings("case $- in *i*) TMOUT=5;; esac; while x; do umask 1; done\numask 2\n") ==
        "1 TMOUT=5 conditional\n1 umask=1 conditional\n2 umask=2\n");
}

TEST_CASE("what is no setting is none", "[shell]") {
  CHECK(settings("# TMOUT=600\necho TMOUT=600\nTMOUT=5 sleep 1\nMYTMOUT=3\necho 'x\nTMOUT=9'\n"
                 "umask\nTMOUTS=1\nexport\n")
            .empty());
}

TEST_CASE("a broken script ends, with what it has", "[shell]") {
  CHECK(settings("TMOUT=1\nx='open\nTMOUT=2\n") == "1 TMOUT=1\n");
  CHECK(settings("fi fi } done\nTMOUT=1 \\\n") == "2 TMOUT=1\n");
  CHECK(settings(std::string(100'000, '{')).empty());
}
