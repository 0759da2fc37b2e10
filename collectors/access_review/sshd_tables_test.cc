// SPDX-License-Identifier: Apache-2.0
// sshd_connections and sshd_match_settings over a host with Match blocks.
#include <algorithm>
#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

void make_host(TestTree& tree, const std::string& sshd_config) {
  tree.file("/etc/passwd",
            "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n"
            "bob:x:1001:1001::/home/bob:/bin/bash\n");
  tree.file("/etc/group", "root:x:0:\nann:x:1000:\nbob:x:1001:\nsftp:x:200:bob\n");
  tree.file("/etc/ssh/sshd_config", sshd_config);
}

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer = run_collector(make_access_review(), tree.path(),
                              {.tables = {"sshd_connections", "sshd_match_settings"}});
  CHECK(answer.violation == "");
  return answer;
}

// "ann|variant|address", sorted.
std::vector<std::string> connections(const sdk::TestAnswer& answer) {
  std::vector<std::string> out;
  for (const json::Value& row : answer.tables.at("sshd_connections")) {
    std::string line;
    for (const char* column : {"username", "variant", "address"}) {
      line += (line.empty() ? "" : "|") + *row.find(column)->if_string();
    }
    out.push_back(line);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("each account has the combinations of Match blocks that it can meet", "[sshd_tables]") {
  TestTree tree;
  make_host(tree,
            "PermitRootLogin no\n"
            "Match Address 10.0.0.0/8\nPermitRootLogin yes\nSetEnv A=planted\n"
            "Match Group sftp\nForceCommand internal-sftp\nAllowUsers bob a@10.*\n"
            "Match Group sftp Address 10.1.0.0/16\nForceCommand none\nPermitRootLogin no\n");

  const auto answer = collect(tree);

  const std::string lan = "Address 10.0.0.0/8";
  const std::string both = lan + "; Group sftp";
  CHECK(connections(answer) ==
        std::vector<std::string>{"ann|" + lan + "|10.0.0.0", "ann||192.0.2.1",
                                 "bob|" + both + "; Group sftp Address 10.1.0.0/16|10.1.0.0",
                                 "bob|" + both + "|10.0.0.0", "bob|Group sftp|192.0.2.1",
                                 "root|" + lan + "|10.0.0.0", "root||192.0.2.1"});
  std::string values;
  for (const json::Value& row : answer.tables.at("sshd_match_settings")) {
    if (*row.find("variant")->if_string() != both) continue;
    values += *row.find("setting")->if_string() + "=" + *row.find("value")->if_string() + ";";
  }
  CHECK(values.find("permitrootlogin=yes;") != std::string::npos);
  CHECK(values.find("forcecommand=internal-sftp;") != std::string::npos);
  CHECK(values.find("allowusers=bob;allowusers=a@10.*;") != std::string::npos);
  CHECK(values.find("forcecommand=none") == std::string::npos);
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.tables.at("gaps").empty());
}

TEST_CASE("without Match every account has one row, without sshd none has", "[sshd_tables]") {
  TestTree tree;
  make_host(tree, "PermitRootLogin no\n");
  CHECK(connections(collect(tree)) ==
        std::vector<std::string>{"ann||192.0.2.1", "bob||192.0.2.1", "root||192.0.2.1"});
  CHECK(collect(tree).tables.at("sshd_match_settings").empty());

  tree.remove("/etc/ssh/sshd_config");
  CHECK(collect(tree).tables.at("sshd_connections").empty());
}

TEST_CASE("who is let in, by the lists that hold on a connection", "[sshd_tables]") {
  TestTree tree;
  make_host(tree,
            "DenyUsers root\nAllowUsers root ann@10.0.0.0/8 bob\n"
            "Match Address 10.5.0.0/16\nAllowUsers nobody\n");

  const auto answer = collect(tree);

  std::string found;
  for (const json::Value& row : answer.tables.at("sshd_connections")) {
    for (const char* column : {"username", "variant", "admitted", "refused_by", "address"}) {
      found += *row.find(column)->if_string() + "|";
    }
    found += "\n";
  }
  CHECK(found ==
        "root||never|denyusers|192.0.2.1|\nroot|Address 10.5.0.0/16|never|denyusers|10.5.0.0|\n"
        "ann||sometimes|allowusers|10.6.0.0|\n"
        "ann|Address 10.5.0.0/16|never|allowusers|10.5.0.0|\n"
        "bob||always||192.0.2.1|\nbob|Address 10.5.0.0/16|never|allowusers|10.5.0.0|\n");
}

TEST_CASE("a block that says nothing makes no variant", "[sshd_tables]") {
  TestTree tree;
  make_host(tree, "AllowUsers root@10.0.0.0/8 bob\nMatch Address 10.5.0.0/16\nMatch User ann\n");

  const auto answer = collect(tree);

  CHECK(connections(answer) ==
        std::vector<std::string>{"ann||192.0.2.1", "bob||192.0.2.1", "root||10.5.0.0"});
  CHECK(answer.cell("sshd_connections", "username", "root", "admitted") == "sometimes");
  CHECK(answer.cell("sshd_connections", "username", "ann", "admitted") == "never");
}

TEST_CASE("the group of the account itself counts", "[sshd_tables]") {
  TestTree tree;
  make_host(tree, "Match Group ann,root\nBanner x\n");
  CHECK(connections(collect(tree)) == std::vector<std::string>{"ann|Group ann,root|192.0.2.1",
                                                               "bob||192.0.2.1",
                                                               "root|Group ann,root|192.0.2.1"});
}

TEST_CASE("what cannot be decided is a gap or an error, never no row", "[sshd_tables]") {
  TestTree tree;
  make_host(tree, "Match version x\nBanner y\n");
  CHECK(collect(tree).has_gap("sshd_connections", "/etc/ssh/sshd_config:1"));

  tree.file("/etc/ssh/sshd_config", "Match Address zzz\nBanner y\n");
  CHECK_THAT(collect(tree).errors.at("sshd_connections"), Catch::StartsWith("not-supported"));
}
