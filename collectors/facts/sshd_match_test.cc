// SPDX-License-Identifier: Apache-2.0
// Match blocks, with sshd itself as the judge where it is installed.
#include "collectors/facts/sshd_match.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <set>

#include "collectors/facts/sshd_patterns.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::facts;

namespace {

SshdUser user_of_host(const char* name) {
  SshdUser user{name, {}};
  std::array<gid_t, 64> ids{};
  int count = static_cast<int>(ids.size());
  const passwd* entry = ::getpwnam(name);
  if (entry == nullptr || ::getgrouplist(name, entry->pw_gid, ids.data(), &count) < 0) return user;
  for (int i = 0; i < count; ++i) {
    const group* one = ::getgrgid(ids[static_cast<std::size_t>(i)]);
    if (one != nullptr) user.groups.emplace_back(one->gr_name);
  }
  return user;
}

std::vector<bool> holding(const SshdConfig& config, const SshdUser& user,
                          const SshdOrigin& origin) {
  std::vector<bool> holds;
  for (const SshdMatch& match : config.matches) {
    const auto by_user = sshd_match_fits_user(match, user);
    const auto by_origin = sshd_match_fits_origin(match, origin);
    REQUIRE(by_user);
    REQUIRE(by_origin);
    holds.push_back(*by_user && *by_origin);
  }
  return holds;
}

std::set<std::string> lines_in_effect(const SshdConfig& config, const std::vector<bool>& holds) {
  std::set<std::string> lines;
  for (const SshdDirective* directive : sshd_in_effect(config, holds)) {
    std::string value;
    for (const std::string& argument : directive->arguments) {
      if (sshd_keyword_accumulates(directive->keyword)) {
        lines.insert(directive->keyword + " " + argument);
      } else {
        value += " " + argument;
      }
    }
    if (!value.empty()) lines.insert(directive->keyword + value);
  }
  return lines;
}

// `sshd -T -C`, the lines of those keywords that `ours` has, too. Empty: sshd does not answer.
std::set<std::string> ask_sshd(const std::string& config, const std::string& key,
                               const std::string& connection, const std::set<std::string>& ours) {
  Command command;
  command.argv = {"/usr/sbin/sshd", "-T", "-f", config, "-h", key};
  if (!connection.empty()) command.argv.insert(command.argv.end(), {"-C", connection});
  command.environment = default_environment();
  const auto exit = run_process(command);
  REQUIRE(exit);
  CAPTURE(exit->standard_error);
  REQUIRE(exit->code == 0);
  std::set<std::string> keywords;
  for (const std::string& line : ours) keywords.insert(line.substr(0, line.find(' ')));
  std::set<std::string> lines;
  std::string_view text = exit->standard_output;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (keywords.count(line.substr(0, line.find(' '))) != 0) lines.insert(line);
  }
  return lines;
}

// `@` stands for where the tree lies: sshd reads it from outside.
std::string placed(std::string text, const std::string& path) {
  for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at)) {
    text.replace(at, 1, path);
  }
  return text;
}

const std::string kConfig =
    "PermitRootLogin yes\nAllowUsers one two\nMaxAuthTries 6\nBanner /global\n"
    "Include @/etc/ssh/included\n"
    "Match User root,!daemon\nMaxAuthTries 1\nAllowUsers three\nAllowUsers four\nInclude "
    "@/etc/ssh/nested\n"
    "Match User *,!root Address 10.0.0.0/8,!10.1.0.0/16\nMaxAuthTries 2\nForceCommand two\n"
    "Match Group r??t,!nogroup\nMaxAuthTries 3\nX11Forwarding yes\n"
    "Match Group !daemon,*\nLogLevel VERBOSE\n"
    "Match Address 192.0.2.*,2001:db8::/32,!2001:db8:1::/48\nMaxAuthTries 4\n"
    "PasswordAuthentication no\n"
    "Match Address 10.1.2.3\nClientAliveInterval 7\n"
    "Match Host \"*.Example.com,!bad.example.com\" User=daemon\nMaxSessions 3\n"
    "Match LocalPort 2222 LocalAddress = 10.9.0.0/16\nAuthenticationMethods publickey\n"
    "Match all\nBanner /all\nPort 2200\nPermitRootLogin no\nClientAliveInterval 9\n"
    "Match User root\nBanner /late\nPermitTTY no\n";
const std::string kIncluded =
    "PermitRootLogin forced-commands-only\nMatch User root\nMaxAuthTries 5\nMatch all\nMaxSessions "
    "8\n";
const std::string kNested = "PermitTTY no\nMatch Address 10.0.0.0/8\nGatewayPorts yes\n";

const std::array<const char*, 5> kUsers = {"root", "daemon", "nobody", "mail", "nosuchuser"};
const std::array<const char*, 9> kAddresses = {"10.1.2.3",   "10.2.0.1",      "192.0.2.200",
                                               "192.0.20.1", "2001:db8::1",   "2001:db8:1::7",
                                               "::1",        "9.255.255.255", "::ffff:10.2.0.1"};

struct Files {
  sdk::TestTree tree;
  Files() {
    tree.file("/etc/ssh/included", kIncluded).file("/etc/ssh/nested", kNested);
    tree.file("/etc/ssh/sshd_config", placed(kConfig, ""));
    tree.file("/outside", placed(kConfig, tree.path()));
  }
  SshdConfig read() const {
    const auto root = Root::open(tree.path());
    REQUIRE(root);
    auto config = read_sshd_config(*root);
    REQUIRE(config);
    CHECK(config->gaps.empty());
    return *std::move(config);
  }
};

bool has_sshd(const std::string& key) {
  Command command;
  command.argv = {"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key};
  command.environment = default_environment();
  const bool is_there = ::access("/usr/sbin/sshd", X_OK) == 0 &&
                        (::getuid() != 0 || ::access("/run/sshd", F_OK) == 0) &&
                        run_process(command);
  if (!is_there) WARN("skipped: sshd is not installed, or has no /run/sshd");
  return is_there;
}

}  // namespace

TEST_CASE("what holds for a connection is what sshd says of it", "[sshd_match]") {
  const Files files;
  const std::string key = files.tree.path() + "/key";
  if (!has_sshd(key)) return;
  const SshdConfig config = files.read();
  std::set<std::set<std::string>> answers;

  for (const char* name : kUsers) {
    for (const char* address : kAddresses) {
      for (const char* host : {"a.example.com", "bad.example.com", "x"}) {
        for (const int port : {22, 2222}) {
          const SshdOrigin origin{address, host, "10.9.1.1", port, ""};
          const std::string connection = "user=" + std::string(name) + ",host=" + host +
                                         ",addr=" + address +
                                         ",laddr=10.9.1.1,lport=" + std::to_string(port);
          CAPTURE(connection);
          const auto ours = lines_in_effect(config, holding(config, user_of_host(name), origin));
          CHECK(ours == ask_sshd(files.tree.path() + "/outside", key, connection, ours));
          answers.insert(ours);
        }
      }
    }
  }

  CHECK(answers.size() > 20);
}

TEST_CASE("without a connection only Match all holds, and it comes first", "[sshd_match]") {
  sdk::TestTree tree;
  const std::string text =
      "Banner /global\nMatch User root\nBanner /root\nMatch all\nBanner /all\nPort 2200\n";
  tree.file("/etc/ssh/sshd_config", text);
  const std::string key = tree.path() + "/key";
  const auto root = Root::open(tree.path());
  const auto config = read_sshd_config(*root);
  REQUIRE(config);

  const auto lines = lines_in_effect(*config, sshd_matches_of_all(*config));

  CHECK(lines == std::set<std::string>{"banner /all", "port 2200"});
  if (!has_sshd(key)) return;
  CHECK(lines == ask_sshd(tree.path() + "/etc/ssh/sshd_config", key, "", lines));
}

TEST_CASE("the origins find every combination of blocks that some address can meet",
          "[sshd_match]") {
  const Files files;
  const SshdConfig config = files.read();
  const SshdUser user{"daemon", {"daemon"}};
  const auto origins = sshd_origins(config);
  REQUIRE(origins);

  std::set<std::vector<bool>> found;
  for (const SshdOrigin& origin : *origins) found.insert(holding(config, user, origin));

  for (const char* address : kAddresses) {
    for (const int port : {22, 2222}) {
      for (const char* local : {"10.9.255.1", "10.10.0.1"}) {
        CAPTURE(address, port, local);
        CHECK(found.count(holding(config, user, {address, address, local, port, ""})) == 1);
      }
    }
  }
}

TEST_CASE("one group that is taken out is enough", "[sshd_match]") {
  const SshdMatch match{{{"group", "!sftp,*"}}, "f", 1};

  CHECK(*sshd_match_fits_user(match, {"ann", {"ann", "staff"}}));
  CHECK_FALSE(*sshd_match_fits_user(match, {"ann", {"staff", "sftp", "ann"}}));
}

TEST_CASE("a network inside another leaves the addresses behind it", "[sshd_match]") {
  SshdConfig config;
  config.matches.push_back({{{"address", "10.0.0.0/8"}}, "f", 1});
  config.matches.push_back({{{"address", "10.0.0.0/16"}}, "f", 2});
  const auto origins = sshd_origins(config);
  REQUIRE(origins);

  std::set<std::vector<bool>> found;
  for (const SshdOrigin& origin : *origins) found.insert(holding(config, {"ann", {}}, origin));

  CHECK(found == std::set<std::vector<bool>>{{false, false}, {true, false}, {true, true}});
}

TEST_CASE("a pattern for which nothing is known, and too many of them, are said", "[sshd_match]") {
  const auto with = [](const std::string& criteria) {
    sdk::TestTree tree;
    tree.file("/etc/ssh/sshd_config", "Match " + criteria + "\nBanner x\n");
    const auto root = Root::open(tree.path());
    return *read_sshd_config(*root);
  };
  std::string many;
  for (int i = 1; i < 200; ++i) many += (i > 1 ? ",10.0.0." : "10.0.0.") + std::to_string(i);

  CHECK(sshd_origins(with("Address zzz")).error().code == Errc::unsupported);
  CHECK(sshd_origins(with("Address " + many + " LocalAddress " + many)).error().code ==
        Errc::too_large);
  CHECK(sshd_match_fits_origin(with("version x").matches[0], {}).error().code == Errc::unsupported);
  CHECK(sshd_match_fits_origin(with("Address 10.0.0.1/8").matches[0], {}).error().code ==
        Errc::invalid);
  CHECK(with("all User x").gaps.size() == 1);
  CHECK(with("User").gaps.size() == 1);
  CHECK_FALSE(*sshd_match_fits_user(with("invalid-user User=ann").matches[0], {"ann", {}}));
}

TEST_CASE("addresses are compared as numbers, and patterns as text", "[sshd_match]") {
  const auto answer = [](std::string_view list, std::string_view address) {
    return ssh_address_answer(list, address) == ListAnswer::accepted;
  };

  CHECK(answer("0.0.0.0/0", "1.2.3.4"));
  CHECK_FALSE(answer("0.0.0.0/0", "::1"));
  CHECK(answer("::/0,!::1", "::2"));
  CHECK_FALSE(answer("::/0,!::1", "::1"));
  CHECK(answer("10.1.2.3/32", "10.1.2.3"));
  CHECK(answer("1?.*", "10.2.3.4"));
  CHECK_FALSE(answer("*", "no address"));
  CHECK_FALSE(ssh_address_answer("10.0.0.0/33", "10.0.0.1"));
  CHECK_FALSE(ssh_address_answer("10.0.0.1,", "10.0.0.1"));
  CHECK_FALSE(parse_network("255.255.255.255/32").network->next());
  CHECK(ip_text(*parse_network("10.255.0.0/16").network->next()) == "11.0.0.0");
  CHECK(ssh_pattern_fits("*a*b*?", "xaybz"));
  CHECK_FALSE(ssh_pattern_fits("*a*b*?", "xayb"));
}
