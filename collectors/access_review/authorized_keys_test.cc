// SPDX-License-Identifier: Apache-2.0
// Keys made with ssh-keygen for this test; the fingerprints are what `ssh-keygen -l` printed.
#include "collectors/access_review/authorized_keys.h"

#include <catch2/catch.hpp>

#include "collectors/access_review/key_files.h"
#include "collectors/sdk/testing.h"

using namespace vouch::access;

namespace {

const std::string kEd25519 =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD";
const std::string kEd25519Fingerprint = "SHA256:nFPLHyh9zMRBWIv3TWnqmRZwor1tk+fobuvMhwUL1Ec";
const std::string kEcdsa =
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBCaW2vZXTfELq7+RtV/"
    "ibLAsruXjf5OVIgo6LO5xX5ACQ/L99VlErh2kCkhpWtvPq8A2KzLfmJCndUkPVHSnRG3AC7n6HvkYDCD3f8Kf0eFl4pZM"
    "e0t7ICOKW9cxqKlG0g==";
const std::string kRsa =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCyBfgZdFFR1WtdQmynz4H5XmaXyaL9x7+g1qjV0HJ1187zljvr/xAZ7"
    "yDL1DIZEbfuqIiYGsr7yZI+n6vKWWKfX11gsVaewBU/ICpEU/QJmGTvvYmrTG7/+h2x7c6ONJfbP1aOFp7g40naY8LGDW"
    "u5O95joXZgKyqArd0fA4fqx6bK3Ky+GmlVI4yIzBs+ps/eMs9Qpwg+64H19XeuP27YuH0+l+OEVLDnrvXCQsdhUSLrc36"
    "GcKg3x6cPVIGvMBvv2iAWNEtOy6/e8ni1dPqkxTFY0mOeg2tSVtgPIJDn1hGTjYHk+x/dzwUXSMyKNH6Ijft8I5dsD17T"
    "eIOkxKGIanMp/tZR6fz6T2p4ju/JBnOzlTIvJa/SVkzDqt+nbprYd6EJ+wjcj753NWXgxY1/hjL6BndLH7jMEFkr6ynOI"
    "tIjiZMvaJwszFp1u6NIKI5Dqr1+eB/mjFWpqh3W7fm8PPpZqiaASM2sc75STWW5yDn7/mN0qxmI7oXsuhzVmGc=";

PasswdEntry user(const std::string& name) {
  PasswdEntry entry;
  entry.name = name;
  entry.uid = 1000;
  entry.directory = "/home/" + name;
  return entry;
}

}  // namespace

TEST_CASE("keys have the fingerprint and size that ssh-keygen prints", "[keys]") {
  const auto parsed = parse_authorized_keys("# comment\n\n" + kEd25519 + " ann@laptop  \n" +
                                            kEcdsa + "\r\n  " + kRsa + " c rsa\n");

  CHECK(parsed.faults.empty());
  REQUIRE(parsed.entries.size() == 3);
  CHECK(parsed.entries[0].fingerprint == kEd25519Fingerprint);
  CHECK(parsed.entries[0].comment == "ann@laptop");
  CHECK_FALSE(parsed.entries[0].bits);
  CHECK(parsed.entries[1].fingerprint == "SHA256:i1Q5tvfqhO5TbSIiFX79MD6rGkZUcVsCJYnyZFtDXNI");
  CHECK(parsed.entries[2].fingerprint == "SHA256:exFlYHiMYRo3qzAlXg8PtFd/A0rgiYMbEbSTMF6La7w");
  CHECK(parsed.entries[2].bits == 3072);
  CHECK(parsed.entries[2].comment == "c rsa");
}

TEST_CASE("options before a key may hold quoted blanks", "[keys]") {
  const auto [options, is_authority] = GENERATE(table<std::string, bool>({
      {"no-pty", false},
      {"cert-authority", true},
      {"Cert-Authority,principals=\"a b\"", true},
      {"command=\"echo \\\"cert-authority\\\" x\",no-pty", false},
      {"command=\"a,cert-authority,b\"", false},
      {"from=\"10.0.0.0/8\",cert-authority", true},
  }));
  CAPTURE(options);

  const auto parsed = parse_authorized_keys(options + " " + kEd25519 + " c");

  REQUIRE(parsed.entries.size() == 1);
  CHECK(parsed.entries[0].options == options);
  CHECK(parsed.entries[0].certificate_authority == is_authority);
  CHECK(parsed.entries[0].fingerprint == kEd25519Fingerprint);
}

TEST_CASE("a line that sshd cannot read is a fault without its content", "[keys]") {
  const auto bad = GENERATE(
      as<std::string>{}, "hunter2", "ssh-ed25519", "ssh-ed25519 AAAA",
      "ssh-rsa " + kEd25519.substr(12), "ssh-ed448 " + kEd25519.substr(12), kEd25519.substr(0, 60),
      "command=\"open " + kEd25519,
      "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAA==", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5//////A=");
  CAPTURE(bad);

  const auto parsed = parse_authorized_keys(kEd25519 + "\n" + bad + "\n");

  CHECK(parsed.entries.size() == 1);
  REQUIRE(parsed.faults.size() == 1);
  CHECK(parsed.faults[0].line == 2);
  CHECK(parsed.faults[0].message.find("hunter2") == std::string::npos);
}

TEST_CASE("tokens of AuthorizedKeysFile are filled in", "[keys]") {
  CHECK(expand_key_path(".ssh/keys", user("ann")) == "/home/ann/.ssh/keys");
  CHECK(expand_key_path("/etc/ssh/keys/%u-%U%%", user("ann")) == "/etc/ssh/keys/ann-1000%");
  CHECK(expand_key_path("%h/k", user("ann")) == "/home/ann/k");
  CHECK_FALSE(expand_key_path("none", user("ann")));
  CHECK_FALSE(expand_key_path("/x/%q", user("ann")));
  CHECK_FALSE(expand_key_path("/x/%", user("ann")));
}

namespace {

// The files for ann, separated by blanks.
std::string files_for_ann(const std::string& config, const std::vector<std::string>* groups) {
  vouch::sdk::TestTree tree;
  tree.file("/etc/ssh/sshd_config", config);
  const auto root = vouch::Root::open(tree.path());
  REQUIRE(root);
  std::string out;
  for (const std::string& path : KeyFiles(*root).paths(user("ann"), groups)) {
    out += (out.empty() ? "" : " ") + path;
  }
  return out;
}

}  // namespace

TEST_CASE("a Match comes before what stands outside, whatever their order", "[keys]") {
  const std::vector<std::string> groups = {"staff", "ops"};
  const auto files = [&](const std::string& criteria) {
    return files_for_ann(
        "AuthorizedKeysFile /outside\nMatch " + criteria + "\nAuthorizedKeysFile /inside\n",
        &groups);
  };

  CHECK(files("User ann") == "/inside");
  CHECK(files("user bob,a*") == "/inside");
  CHECK(files("User bob") == "/outside");
  CHECK(files("User *,!ann") == "/outside");
  CHECK(files("Group ops") == "/inside");
  CHECK(files("Group adm") == "/outside");
  CHECK(files("Group *,!ops") == "/outside");
  CHECK(files("all") == "/inside");
  CHECK(files("Address 10.0.0.0/8") == "/inside /outside");
  CHECK(files("Address 10.0.0.0/8 User bob") == "/outside");
}

TEST_CASE("of several blocks each that may hold counts, up to one that surely does", "[keys]") {
  const std::string config =
      "Match Address 10.0.0.0/8\nAuthorizedKeysFile /lan\nMatch Group ops\nAuthorizedKeysFile "
      "/ops\nMatch User ann\nAuthorizedKeysFile /ann\n";
  const std::vector<std::string> ops = {"ops"};
  const std::vector<std::string> none;

  CHECK(files_for_ann(config, &ops) == "/lan /ops");
  CHECK(files_for_ann(config, &none) == "/lan /ann");
  CHECK(files_for_ann(config, nullptr) == "/lan /ops /ann");
  CHECK(files_for_ann("Port 22\n", &none) ==
        "/home/ann/.ssh/authorized_keys /home/ann/.ssh/authorized_keys2");
}
