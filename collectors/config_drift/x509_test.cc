// SPDX-License-Identifier: Apache-2.0
// Certificates made by openssl(1), which is also the judge of what is read from them.
#include "collectors/config_drift/x509.h"

#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::drift;

namespace {

std::string openssl(std::vector<std::string> arguments) {
  Command command;
  command.argv = {"/usr/bin/openssl"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = default_environment();
  const auto exit = run_process(command);
  if (!exit || exit->code != 0) return "";
  return exit->standard_output;
}

// Writes DIR/etc/ssl/site.pem (certificate and key in one file); false: there is no openssl.
bool make_certificate(const sdk::TestTree& tree, const std::string& key, const std::string& name) {
  const std::string file = tree.path() + "/etc/ssl/" + name;
  std::vector<std::string> arguments = {"req",
                                        "-x509",
                                        "-nodes",
                                        "-days",
                                        "30",
                                        "-subj",
                                        "/O=Zoë, Ltd/CN=host.example",
                                        "-utf8",
                                        "-addext",
                                        "subjectAltName=DNS:host.example,IP:192.0.2.1",
                                        "-keyout",
                                        file + ".key",
                                        "-out",
                                        file};
  arguments.emplace_back("-newkey");
  arguments.push_back(key);
  if (key == "ec") {
    arguments.emplace_back("-pkeyopt");
    arguments.emplace_back("ec_paramgen_curve:P-256");
  }
  openssl(arguments);
  return file_exists(file);
}

}  // namespace

TEST_CASE("a certificate says what openssl says of it", "[x509]") {
  sdk::TestTree tree;
  tree.directory("/etc/ssl");
  const auto [key, type, bits] = GENERATE(table<std::string, std::string, int>(
      {{"rsa:2048", "rsa", 2048}, {"ec", "ec", 256}, {"ed25519", "ed25519", 256}}));
  if (!make_certificate(tree, key, "site.pem")) {
    WARN("skipped: openssl is missing");
    return;
  }
  const std::string file = tree.path() + "/etc/ssl/site.pem";
  const auto pem = read_file(file, 1 << 20);
  REQUIRE(pem);

  const auto found = parse_certificate_file(*pem);

  REQUIRE(found.size() == 1);
  REQUIRE(found[0]);
  const Certificate& one = *found[0];
  const auto asked = [&](const std::string& option) {
    std::string text =
        openssl({"x509", "-noout", "-nameopt", "RFC2253,-esc_msb", "-in", file, option});
    text = text.substr(text.find('=') + 1);
    return text.substr(0, text.find('\n'));
  };
  CHECK(one.subject == asked("-subject"));
  CHECK(one.subject == "CN=host.example,O=Zoë\\, Ltd");
  CHECK(one.issuer == one.subject);
  CHECK(one.key_type == type);
  CHECK(one.key_bits == bits);
  CHECK(one.is_self_signed);
  CHECK(one.is_authority);
  CHECK(one.names == "DNS:host.example, IP:192.0.2.1");
  CHECK(one.not_after - one.not_before == 30 * 86400);
  std::string digits;
  for (const char c : openssl({"x509", "-noout", "-sha256", "-fingerprint", "-in", file})) {
    if (c != ':' && c != '\n') digits += static_cast<char>(std::tolower(c));
  }
  CHECK(digits.ends_with(one.fingerprint));
  CHECK(one.fingerprint.size() == 64);
  std::string serial = asked("-serial");
  for (char& c : serial) c = static_cast<char>(std::tolower(c));
  CHECK(one.serial == serial);
}

TEST_CASE("hostile bytes are no certificates", "[x509]") {
  CHECK(parse_certificate_file("").empty());
  CHECK(parse_certificate_file("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .empty());
  CHECK(parse_certificate_file("plain text").empty());
  const auto cut = parse_certificate_file("-----BEGIN CERTIFICATE-----\nAAAA\n");
  REQUIRE(cut.size() == 1);
  CHECK_FALSE(cut[0]);
  for (const std::string body : {"", "AAA", "MIIB", "!!!!", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"}) {
    const auto found = parse_certificate_file("-----BEGIN CERTIFICATE-----\n" + body +
                                              "\n-----END CERTIFICATE-----\n");
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0]);
  }
  CHECK_FALSE(parse_certificate(std::string("\x30\x82\xff\xff\x00", 5)));
  const auto der = parse_certificate_file(std::string("\x30\x82\x01\x00\x00\x00", 6));
  REQUIRE(der.size() == 1);
  CHECK_FALSE(der[0]);
}

TEST_CASE("certificates are found where services have theirs, keys stay where they are", "[x509]") {
  sdk::TestTree tree;
  tree.directory("/etc/ssl/certs").directory("/etc/letsencrypt/live/x");
  if (!make_certificate(tree, "ec", "site.pem")) {
    WARN("skipped: openssl is missing");
    return;
  }
  const auto pem = read_file(tree.path() + "/etc/ssl/site.pem", 1 << 20);
  const auto key = read_file(tree.path() + "/etc/ssl/site.pem.key", 1 << 20);
  REQUIRE((pem && key));
  tree.remove("/etc/ssl/site.pem.key");
  tree.file("/etc/letsencrypt/archive/x/cert1.pem", *key + *pem + *pem);
  tree.symlink("/etc/letsencrypt/live/x/cert.pem", "../../archive/x/cert1.pem");
  tree.file("/etc/ssl/certs/ca-certificates.crt", *pem);
  tree.file("/usr/share/ca-certificates/x.crt", *pem);
  tree.symlink("/etc/ssl/certs/x.pem", "/usr/share/ca-certificates/x.crt");
  tree.file("/etc/nginx/broken.crt",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  tree.symlink("/etc/nginx/out.pem", "/../../../../etc/ssl/none.pem").fifo("/etc/nginx/pipe.pem");
  tree.symlink("/etc/nginx/loop.pem", "loop.pem").file("/etc/nginx/dh.pem", "no certificate");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"certificates"}});
  const auto again = sdk::run_collector(make_config_drift(), tree.path(),
                                        {.tables = {"certificates"}, .tokens = answer.tokens});

  CHECK(answer.violation == "");
  CHECK(answer.tables.at("certificates").size() == 3);
  CHECK(answer.cell("certificates", "path", "/etc/ssl/site.pem", "key_bits") == "256");
  CHECK(answer.cell("certificates", "path", "/etc/letsencrypt/live/x/cert.pem", "names") ==
        "several");
  CHECK(answer.has_gap("certificates", "/etc/nginx/broken.crt#1"));
  CHECK(answer.has_gap("certificates", "/etc/nginx/out.pem"));
  CHECK(answer.has_gap("certificates", "/etc/nginx/pipe.pem"));
  CHECK(answer.has_gap("certificates", "/etc/nginx/loop.pem"));
  CHECK(answer.tables.at("gaps").size() == 4);
  CHECK(answer.raw.find("PRIVATE") == std::string::npos);
  CHECK(again.unchanged.empty());  // What has gaps is collected anew.
}
