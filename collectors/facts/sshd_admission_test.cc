// SPDX-License-Identifier: Apache-2.0
// tests/e2e/sshd_admission_test.py has sshd itself as the judge.
#include "collectors/facts/sshd_admission.h"

#include <catch2/catch.hpp>

using namespace vouch::facts;

namespace {

const SshdUser kAnn{"ann", {"ann", "staff"}};

SshdOrigin from(const std::string& address, const std::string& host = "") {
  return {address, host.empty() ? address : host, "10.0.0.1", 22, ""};
}

// What refuses ann with these lines.
std::string_view refusal(const std::string& lines, const SshdOrigin& origin,
                         const SshdUser& user = kAnn) {
  const SshdConfig config = parse_sshd_config(lines, "f");
  std::vector<const SshdDirective*> all;
  for (const SshdDirective& directive : config.directives) all.push_back(&directive);
  return sshd_refusal(sshd_lists_for(all, user.name), user, origin);
}

}  // namespace

TEST_CASE("the lists refuse in sshd's order", "[admission]") {
  const SshdOrigin here = from("10.1.1.1");

  CHECK(refusal("Port 22\n", here) == "");
  CHECK(refusal("DenyUsers a*\nAllowUsers ann\nDenyGroups staff\n", here) == "denyusers");
  CHECK(refusal("DenyUsers b*\nAllowUsers bob\nDenyGroups staff\n", here) == "allowusers");
  CHECK(refusal("AllowUsers bob an?\nDenyGroups adm st*\nAllowGroups ann\n", here) == "denygroups");
  CHECK(refusal("DenyGroups adm\nAllowGroups adm\n", here) == "allowgroups");
  CHECK(refusal("AllowGroups adm staff\n", here) == "");
  CHECK(refusal("AllowGroups !adm\n", here) == "allowgroups");
  CHECK(refusal("AllowGroups *\n", here, {"x", {}}) == "allowgroups");
}

TEST_CASE("a host in a list is an address, a network or a name", "[admission]") {
  const auto lets_in = [](const std::string& pattern, const SshdOrigin& origin) {
    return refusal("AllowUsers " + pattern + "\n", origin).empty();
  };

  CHECK(lets_in("ann@10.0.0.0/8", from("10.9.9.9")));
  CHECK_FALSE(lets_in("ann@10.0.0.0/8", from("11.9.9.9")));
  CHECK_FALSE(lets_in("bob@10.0.0.0/8", from("10.9.9.9")));
  CHECK(lets_in("*@10.9.*", from("10.9.9.9")));
  CHECK(lets_in("ann@*.Example.com", from("10.9.9.9", "a.example.COM")));
  CHECK_FALSE(lets_in("ann@*.example.com,!10.9.9.9", from("10.9.9.9", "a.example.com")));
  CHECK_FALSE(lets_in("ann@10.0.0.0/8,!b.*", from("10.9.9.9", "b.example.com")));
  CHECK_FALSE(lets_in("ann@10.0.0.1/8", from("10.9.9.9")));
  CHECK(lets_in("a*", from("::1")));
}
