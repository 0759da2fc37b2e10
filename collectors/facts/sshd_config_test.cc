// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/sshd_config.h"

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::facts;

namespace {

std::string shown(const SshdConfig& config) {
  std::string out;
  for (const auto& directive : config.directives) {
    if (!directive.match.empty()) out += "[" + directive.match + "]";
    out += directive.keyword;
    for (const auto& argument : directive.arguments) out += " <" + argument + ">";
    out += "|";
  }
  return out;
}

}  // namespace

TEST_CASE("keywords are lower case, arguments are unquoted, comments go", "[sshd]") {
  const auto config = parse_sshd_config(
      "Port 22\n# no\n  PermitRootLogin=no # why\nAllowUsers \"a b\" c 'd'\n"
      "Banner = /etc/issue\r\nX11Forwarding \"yes\"\n\n",
      "f");

  CHECK(config.gaps.empty());
  CHECK(shown(config) ==
        "port <22>|permitrootlogin <no>|allowusers <a b> <c> <d>|banner </etc/issue>|"
        "x11forwarding <yes>|");
  CHECK(config.directives[1].line == 3);
}

TEST_CASE("a line that is no directive is a gap with its place", "[sshd]") {
  const auto bad =
      GENERATE(as<std::string>{}, "Port", "Port #22", "Banner \"/etc/issue", "= 22", "Port 'x");
  CAPTURE(bad);

  const auto config = parse_sshd_config("Port 22\n" + bad + "\n", "/etc/ssh/sshd_config");

  REQUIRE(config.gaps.size() == 1);
  CHECK(config.gaps[0].first == "/etc/ssh/sshd_config:2");
}

TEST_CASE("includes are read in place, and a Match ends with its file", "[sshd]") {
  sdk::TestTree tree;
  tree.file("/etc/ssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\nPort 22\nMatch User ann\n"
            "  Include extra\n  X11Forwarding yes\nMatch all\nPort 23\n");
  tree.file("/etc/ssh/sshd_config.d/20-b.conf", "Banner b\n");
  tree.file("/etc/ssh/sshd_config.d/10-a.conf", "Banner a\nMatch Group ops\nBanner c\n");
  tree.file("/etc/ssh/sshd_config.d/.hidden.conf", "Banner h\n");
  tree.file("/etc/ssh/sshd_config.d/README", "Banner r\n");
  tree.file("/etc/ssh/extra", "PermitRootLogin yes\n");
  const auto root = Root::open(tree.path());
  REQUIRE(root);

  const auto config = read_sshd_config(*root);

  REQUIRE(config);
  CHECK(shown(*config) ==
        "banner <a>|[Group ops]banner <c>|banner <b>|port <22>|[User ann]permitrootlogin <yes>|"
        "[User ann]x11forwarding <yes>|port <23>|");
}

TEST_CASE("an include that cannot be read is a gap, one that loops ends", "[sshd]") {
  sdk::TestTree tree;
  tree.file("/etc/ssh/sshd_config", "Include sshd_config\nInclude pipe loop\nPort 22\n");
  tree.fifo("/etc/ssh/pipe").symlink("/etc/ssh/loop", "loop");
  const auto root = Root::open(tree.path());
  REQUIRE(root);

  const auto config = read_sshd_config(*root);

  REQUIRE(config);
  bool pipe = false;
  for (const auto& [object, error] : config->gaps) pipe = pipe || object == "/etc/ssh/pipe";
  CHECK(pipe);
  CHECK(config->directives.size() == 17);
}

TEST_CASE("without a configuration there is nothing to read", "[sshd]") {
  sdk::TestTree tree;
  const auto root = Root::open(tree.path());
  REQUIRE(root);

  const auto config = read_sshd_config(*root);

  REQUIRE_FALSE(config);
  CHECK(config.error().code == Errc::not_found);
}
