// SPDX-License-Identifier: Apache-2.0
// Keyrings: those of this host and one made here, compared with what gpg says of them.
#include "collectors/patch_level/openpgp.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/testing.h"
#include "core/encoding.h"
#include "core/file.h"
#include "core/legacy_digest.h"
#include "core/process.h"

namespace vouch::patch_level {
namespace {

bool has_gpg() {
  if (access("/usr/bin/gpg", X_OK) == 0) return true;
  WARN("skipped: gpg is not installed");
  return false;
}

std::string gpg(const std::string& home, std::vector<std::string> arguments) {
  Command command;
  command.argv = {"/usr/bin/gpg", "--batch", "--no-tty", "--homedir", home};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  const auto exit = run_process(command);
  REQUIRE(exit);
  CAPTURE(exit->standard_error);
  REQUIRE(exit->code == 0);
  return exit->standard_output;
}

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const auto end = line.find(':');
    fields.emplace_back(line.substr(0, end));
    if (end == line.npos) return fields;
    line.remove_prefix(end + 1);
  }
}

// "FINGERPRINT created expires" of each key, by --with-colons.
std::vector<std::string> as_gpg_says(const std::string& listing) {
  std::vector<std::string> keys;
  std::string times;
  for (std::string_view rest = listing; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto fields = fields_of(line);
    if (fields[0] == "pub" || fields[0] == "sub") times = ' ' + fields[5] + ' ' + fields[6];
    if (fields[0] == "fpr") keys.push_back(fields[9] + times);
  }
  return keys;
}

std::vector<std::string> as_we_say(std::string_view bytes) {
  const auto keys = parse_keyring(bytes);
  if (!keys) return {keys.error().message};
  std::vector<std::string> lines;
  for (const OpenpgpKey& key : *keys) {
    lines.push_back(key.fingerprint + ' ' + std::to_string(key.created) + ' ' +
                    (key.expires ? std::to_string(*key.expires) : ""));
  }
  return lines;
}

TEST_CASE("gpg says the same of the keyrings of this host", "[openpgp]") {
  if (!has_gpg()) return;
  sdk::TestTree home;
  std::size_t compared = 0;
  for (const std::string directory : {"/etc/apt/trusted.gpg.d", "/usr/share/keyrings"}) {
    for (const std::string& name :
         list_directory(directory, 1000).value_or(std::vector<std::string>{})) {
      const std::string path = directory + '/' + name;
      CAPTURE(path);
      const auto bytes = read_file(path, 4 << 20);
      if (!bytes || bytes->empty()) continue;
      const auto ours = parse_keyring(*bytes);
      if (!ours && ours.error().code == Errc::unsupported) continue;  // Keys of version 3.
      CHECK(as_we_say(*bytes) ==
            as_gpg_says(gpg(home.path(), {"--show-keys", "--with-colons", "--fingerprint",
                                          "--fingerprint", path})));
      ++compared;
    }
  }
  if (compared == 0) WARN("skipped: this host has no keyring");
}

TEST_CASE("a key's end is that of its newest self-signature, and a revocation counts",
          "[openpgp]") {
  if (!has_gpg()) return;
  sdk::TestTree home;
  ::chmod(home.path().c_str(), 0700);
  gpg(home.path(), {"--passphrase", "", "--quick-generate-key", "Test <t@example.test>", "rsa2048",
                    "sign", "1y"});
  const auto first = parse_keyring(gpg(home.path(), {"--export"}));
  REQUIRE(first);
  REQUIRE(first->size() == 1);
  const OpenpgpKey& key = first->front();
  CHECK(key.user_id == "Test <t@example.test>");
  CHECK(key.algorithm == "rsa");
  CHECK(key.bits == 2048);
  CHECK(key.expires);

  gpg(home.path(), {"--passphrase", "", "--quick-set-expire", key.fingerprint, "2y"});
  const std::string binary = gpg(home.path(), {"--export"});
  const std::string armoured = gpg(home.path(), {"--armor", "--export"});
  const auto second = parse_keyring(binary);
  REQUIRE(second);
  CHECK(*second->front().expires > *key.expires + 300 * 86400);
  CHECK(as_we_say(binary) == as_we_say(armoured));
  CHECK_FALSE(second->front().is_revoked);
  CHECK_FALSE(parse_keyring(gpg(
      home.path(), {"--passphrase", "", "--pinentry-mode", "loopback", "--export-secret-keys"})));
  for (std::size_t size = 0; size < binary.size(); size += 3) {
    const auto cut = parse_keyring(std::string_view(binary).substr(0, size));
    if (cut) CHECK(cut->front().fingerprint == key.fingerprint);  // Cut between two packets.
  }
}

TEST_CASE("junk is no keyring", "[openpgp]") {
  for (const std::string& junk :
       {std::string(), std::string("junk"), std::string("\x99\xff\xff\xff", 4),
        std::string("\xc6\xff\xff\xff\xff\xff", 6), std::string("\xc6\x05\x04xxxx", 7),
        std::string("\x9b\x00", 2), std::string("\xc2\x04\x04\x10\x01\x08", 6),
        std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!\n"
                    "-----END PGP PUBLIC KEY BLOCK-----\n"),
        std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n")}) {
    CAPTURE(hex_encode(junk));
    CHECK_FALSE(parse_keyring(junk));
  }
}

TEST_CASE("only keyrings that a source is checked with are told", "[openpgp]") {
  sdk::TestTree tree;
  tree.file("/etc/apt/sources.list",
            "deb [signed-by=/usr/share/keyrings/a.gpg] http://x/ s main\n"
            "# deb [signed-by=/usr/share/keyrings/off.gpg] http://x/ s main\n")
      .file("/usr/share/keyrings/a.gpg", "junk")
      .file("/etc/apt/trusted.gpg.d/b.gpg", "junk");

  const auto answer =
      sdk::run_collector(make_patch_level(), tree.path(), {.tables = {"repository_keys"}});
  CHECK(answer.violation.empty());
  CHECK(answer.has_gap("repository_keys", "/usr/share/keyrings/a.gpg"));
  CHECK_FALSE(answer.has_gap("repository_keys", "/etc/apt/trusted.gpg.d/b.gpg"));

  tree.file("/etc/apt/sources.list.d/c.list", "deb http://y/ s main\n");
  CHECK(sdk::run_collector(make_patch_level(), tree.path(), {.tables = {"repository_keys"}})
            .has_gap("repository_keys", "/etc/apt/trusted.gpg.d/b.gpg"));
}

TEST_CASE("the old digests are those that everybody knows", "[openpgp]") {
  CHECK(hex_encode(sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  Md5 md5;
  md5.update("a");
  md5.update("bc");
  CHECK(md5.finish_hex() == "900150983cd24fb0d6963f7d28e17f72");
}

}  // namespace
}  // namespace vouch::patch_level
