// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_config.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "collectors/patch_level/apt_host.h"
#include "core/process.h"
#include "core/root.h"

namespace vouch::patch_level {
namespace {

AptConfig read(std::string_view text) {
  AptConfig config;
  const auto status = config.read(text);
  if (!status) FAIL(status.error().message);
  return config;
}

TEST_CASE("scopes nest and names compare without regard to case", "[apt_config]") {
  const auto config =
      read("APT { Default-Release \"stable\"; Get { Assume-Yes true; }; };\napt::get::fix yes;");

  CHECK(config.get("apt::default-release") == "stable");
  CHECK(config.get("APT::Get::Assume-Yes") == "true");
  CHECK(config.get_bool("APT::Get::Fix", false));
  CHECK(config.get("APT::Get", "none") == "none");
}

TEST_CASE("lists keep each member in order", "[apt_config]") {
  const auto config = read("L { \"a\"; \"b\"; };\nL:: \"c\";\nM { \"x\"; Sub \"y\"; };");

  CHECK(config.list("L") == std::vector<std::string>{"a", "b", "c"});
  CHECK(config.list("M") == std::vector<std::string>{"x", "y"});
}

TEST_CASE("the last value of a scalar counts and #clear removes what is below", "[apt_config]") {
  const auto config = read("A::B \"1\"; A::B \"2\"; C { \"x\"; D \"y\"; };\n#clear C;\nE \"z\";");

  CHECK(config.get("A::B") == "2");
  CHECK(config.list("C").empty());
  CHECK(config.items().size() == 2);
}

TEST_CASE("comments of all kinds are skipped, but not inside quotes", "[apt_config]") {
  const auto config = read(
      "// one\n# two\nA \"http://x/#y\"; /* three\n \"B\" */ C \"d\" ; // four\n  # five\nE { # "
      "six\n};");

  CHECK(config.get("A") == "http://x/#y");
  CHECK(config.get("C") == "d");
  CHECK(config.items().size() == 2);
}

TEST_CASE("a broken file is refused with its line, and what came before stands", "[apt_config]") {
  const auto* bad = GENERATE("A {\n", "}\n", "A \"x\n", "A \"x\"", "{ };", "\"v\";",
                             "A { B \"1\" }\n", "#include \"/etc/passwd\";");
  CAPTURE(bad);
  AptConfig config;

  const auto status = config.read(std::string("Good \"1\";\n") + bad);

  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::invalid);
  CHECK_THAT(status.error().message, Catch::StartsWith("line "));
  CHECK(config.get("Good") == "1");
}

TEST_CASE("scopes cannot nest without end", "[apt_config]") {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "a{";
  AptConfig config;

  CHECK_FALSE(config.read(deep));
}

TEST_CASE("apt reads parts with plain names and its extension only", "[apt_config]") {
  CHECK(is_apt_part("20auto", "conf", true));
  CHECK(is_apt_part("20auto.conf", "conf", true));
  CHECK_FALSE(is_apt_part("20auto", "list", false));
  CHECK_FALSE(is_apt_part("x.conf.dpkg-old", "conf", true));
  CHECK_FALSE(is_apt_part("x.list.disabled", "list", false));
  CHECK_FALSE(is_apt_part(".hidden", "conf", true));
  CHECK_FALSE(is_apt_part("a~", "conf", true));
  CHECK_FALSE(is_apt_part("a b.conf", "conf", true));
}

TEST_CASE("apt-config knows each value that was read on this host", "[apt_config]") {
  if (access("/usr/bin/apt-config", X_OK) != 0) {
    WARN("skipped: apt-config is not installed");
    return;
  }
  const auto root = Root::open("/");
  REQUIRE(root);
  FileProblems problems;
  const AptConfig config = read_apt_config(*root, problems);
  Command command;
  command.argv = {"/usr/bin/apt-config", "dump"};
  command.environment = default_environment();
  const auto dump = run_process(command);
  REQUIRE(dump);

  for (const AptConfig::Item& item : config.items()) {
    CAPTURE(item.name, item.value);
    // The dump spells a name as it was first written, anywhere.
    const auto value = " \"" + item.value + "\";";
    CHECK(dump->standard_output.find(value) != std::string::npos);
  }
}

}  // namespace
}  // namespace vouch::patch_level
