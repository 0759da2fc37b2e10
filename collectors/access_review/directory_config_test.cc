// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/directory_config.h"

#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer =
      run_collector(make_access_review(), tree.path(), {.tables = {"directory_services"}});
  CHECK(answer.violation == "");
  return answer;
}

// The value of the only such row; "several".
std::string value(const sdk::TestAnswer& answer, const std::string& service,
                  const std::string& section, const std::string& name) {
  std::string found;
  for (const json::Value& row : answer.tables.at("directory_services")) {
    if (*row.find("service")->if_string() != service || *row.find("name")->if_string() != name ||
        *row.find("section")->if_string() != section) {
      continue;
    }
    found = found.empty() ? *row.find("value")->if_string() : "several";
  }
  return found;
}

}  // namespace

TEST_CASE("sssd: domains, who may log in, and no password", "[directory]") {
  TestTree tree;
  tree.file("/etc/nsswitch.conf",
            "passwd: files sss # x\ngroup:\tfiles  [NOTFOUND=return] sss\nhosts: files dns\n");
  tree.file("/etc/sssd/sssd.conf",
            "[sssd]\ndomains = a, b\n; domains = c\n[domain/a]\nid_provider = ldap\n"
            "LDAP_URI = ldap://x.example.com, ldaps://u:planted@y\naccess_provider = permit\n"
            "ldap_default_authtok = planted\nldap_default_bind_dn = cn=reader\nsome_key = planted\n"
            "cache_credentials = True\n",
            0600);
  tree.file("/etc/sssd/conf.d/50.conf", "[domain/a]\naccess_provider=simple\n", 0600);
  tree.file("/etc/sssd/conf.d/.hidden.conf", "[domain/a]\naccess_provider=deny\n", 0600);

  const auto answer = collect(tree);

  CHECK(value(answer, "nsswitch", "", "passwd") == "files sss");
  CHECK(value(answer, "nsswitch", "", "group") == "files [NOTFOUND=return] sss");
  CHECK(value(answer, "nsswitch", "", "hosts") == "");
  CHECK(value(answer, "sssd", "sssd", "domains") == "a, b");
  CHECK(value(answer, "sssd", "domain/a", "access_provider") == "simple");
  CHECK(value(answer, "sssd", "domain/a", "cache_credentials") == "True");
  CHECK(value(answer, "sssd", "domain/a", "ldap_default_authtok") == "[redacted]");
  CHECK(answer.cell("directory_services", "name", "access_provider", "source") ==
        "/etc/sssd/conf.d/50.conf");
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.tables.at("gaps").empty());
}

TEST_CASE("nslcd and the LDAP library: each file for itself", "[directory]") {
  TestTree tree;
  tree.file("/etc/nslcd.conf",
            "uri ldap://a\nuri ldap://b\nbindpw planted\nssl start_tls\nTLS_REQCERT demand\n"
            "# ssl off\nlog syslog planted\n",
            0600);
  tree.file("/etc/ldap/ldap.conf", "URI\tldap://c\nTLS_REQCERT never\n");
  tree.file("/etc/libnss-ldap.conf", "tls_reqcert allow\nrootbindpw planted\n");

  const auto answer = collect(tree);

  CHECK(value(answer, "nslcd", "", "uri") == "several");
  CHECK(value(answer, "nslcd", "", "ssl") == "start_tls");
  CHECK(value(answer, "nslcd", "", "tls_reqcert") == "demand");
  CHECK(value(answer, "ldap", "", "tls_reqcert") == "several");
  CHECK(answer.raw.find("planted") == std::string::npos);
}

TEST_CASE("Kerberos: realms with their servers, included files too", "[directory]") {
  TestTree tree;
  tree.file("/etc/krb5.conf",
            "includedir /etc/krb5.conf.d\n[libdefaults]\n default_realm = EX.COM\n"
            " allow_weak_crypto = true\n[realms]\nEX.COM = {\n kdc = k1.ex.com\n kdc = k2.ex.com\n"
            " admin_server = k1.ex.com\n}\n");
  tree.file("/etc/krb5.conf.d/other", "[realms]\nO.COM = {\nkdc = k3\n}\ninclude /etc/krb5.conf\n");
  tree.file("/etc/krb5.conf.d/skipped.rpmsave", "[realms]\nS.COM = {\nkdc = k4\n}\n");

  const auto answer = collect(tree);

  CHECK(value(answer, "krb5", "realms/O.COM", "kdc") == "k3");
  CHECK(value(answer, "krb5", "realms/S.COM", "kdc") == "");
  CHECK(value(answer, "krb5", "realms/EX.COM", "kdc") == "several");
  CHECK(value(answer, "krb5", "realms/EX.COM", "admin_server") == "k1.ex.com");
  CHECK(value(answer, "krb5", "libdefaults", "allow_weak_crypto") == "true");
  CHECK(answer.tables.at("gaps").empty());
}

TEST_CASE("a file of a directory that cannot be read is a gap", "[directory]") {
  TestTree tree;
  tree.fifo("/etc/sssd/sssd.conf")
      .file("/etc/samba/smb.conf",
            "[global]\nsecurity = ADS\n[x]\n"
            "security = y\n");

  const auto answer = collect(tree);

  CHECK(answer.has_gap("directory_services", "/etc/sssd/sssd.conf"));
  CHECK(value(answer, "winbind", "global", "security") == "ADS");
}
