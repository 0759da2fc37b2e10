// SPDX-License-Identifier: Apache-2.0
// The collector on hand-made hosts: hostile files, secrets, tokens, and what has no lists.
#include <fcntl.h>
#include <lz4frame.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <string>

#include "collectors/patch_level/kernel.h"
#include "collectors/patch_level/os_release.h"
#include "collectors/patch_level/patch_level.h"
#include "collectors/patch_level/release.h"
#include "collectors/sdk/testing.h"

namespace vouch::patch_level {
namespace {

constexpr const char* kLists = "/var/lib/apt/lists/x_dists_s_";

std::string entry(const std::string& name, const std::string& version) {
  return "Package: " + name + "\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

std::string installed(const std::string& name, const std::string& version) {
  return "Package: " + name +
         "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

void make_host(sdk::TestTree& tree, const std::string& packages) {
  tree.file("/etc/apt/sources.list", "deb http://user:hunter2@x/ s main\n")
      .file(std::string(kLists) + "InRelease",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: O\nSuite: s-security\n"
            "Date: Sat, 11 Jul 2026 10:16:37 UTC\n-----BEGIN PGP SIGNATURE-----\n\nx\n"
            "-----END PGP SIGNATURE-----\n")
      .file(std::string(kLists) + "main_binary-amd64_Packages", packages)
      .file("/var/lib/dpkg/status", installed("dpkg", "1") + installed("a", "1"));
}

sdk::TestAnswer run(const sdk::TestTree& tree, std::vector<std::string> tables = {},
                    std::map<std::string, std::string> tokens = {}) {
  return sdk::run_collector(make_patch_level(), tree.path(),
                            {.tables = std::move(tables), .tokens = std::move(tokens)});
}

void age(const sdk::TestTree& tree, const std::string& path) {
  const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  REQUIRE(utimensat(AT_FDCWD, (tree.path() + path).c_str(), times, 0) == 0);
}

TEST_CASE("an update is found and marked as security", "[host]") {
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));

  const auto answer = run(tree, {"package_updates"});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("package_updates", "name", "a", "candidate_version") == "2");
  CHECK(answer.cell("package_updates", "name", "a", "security") == "true");
  CHECK(answer.cell("package_updates", "name", "a", "origin") == "O");
}

TEST_CASE("without lists the updates are an error that says what to do", "[host]") {
  sdk::TestTree tree;
  make_host(tree, "");
  tree.remove(std::string(kLists) + "main_binary-amd64_Packages");
  CHECK(run(tree).errors.at("package_updates") ==
        "not-found: no package lists; run apt-get update");

  tree.remove(std::string(kLists) + "InRelease");
  const auto answer = run(tree);
  CHECK(answer.errors.at("package_updates") == "not-found: no package lists; run apt-get update");
  CHECK(answer.errors.at("package_lists") == "not-found: no package lists; run apt-get update");
  CHECK(answer.cell("apt_sources", "suite", "s", "signed") == "null");
}

TEST_CASE("a host that is no Debian has errors, not empty tables", "[host]") {
  sdk::TestTree tree;

  const auto answer = run(tree);

  for (const char* table : {"os_version", "deb_packages", "package_updates", "apt_sources",
                            "package_lists", "apt_config"}) {
    CAPTURE(table);
    CHECK_THAT(answer.errors.at(table), Catch::StartsWith("not-found"));
  }
}

TEST_CASE("no secret of apt's files is in the answer", "[host]") {
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));
  tree.file("/etc/apt/apt.conf.d/p",
            "Acquire::http::Proxy \"http://u:hunter2@proxy:3128/\";\nAcquire::My-Token "
            "\"hunter2\";\n")
      .file("/etc/apt/sources.list.d/b.sources",
            "Types: deb\nURIs: https://u:hunter2@y/?k=hunter2\nSuites: s\nComponents: main\n\n"
            "Types: deb\nURIs: https://u:hunter2@z/\nSuites: s\n")
      .file("/etc/apt/sources.list.d/c.list", "deb https://u:hunter2@z/ s\n")
      .file("/etc/apt/auth.conf", "machine x login u password hunter2\n");

  const auto answer = run(tree);

  CHECK(answer.violation.empty());
  CHECK(answer.tables.at("apt_sources").size() == 2);
  CHECK(answer.has_gap("apt_sources", "/etc/apt/sources.list.d/c.list"));
  CHECK_THAT(answer.raw, !Catch::Contains("hunter2"));
}

TEST_CASE("a damaged list is a gap and the other lists stand", "[host]") {
  std::string lz4(LZ4F_compressFrameBound(100000, nullptr), '\0');
  const std::string text(90000, 'x');
  lz4.resize(LZ4F_compressFrame(lz4.data(), lz4.size(), text.data(), text.size(), nullptr));
  const auto bad = GENERATE_COPY(as<std::string>{}, "Package: a\nArchitecture: amd64\nVersion: 2",
                                 "\xff\xfe junk\n", lz4.substr(0, lz4.size() / 2),
                                 "\x04\x22\x4d\x18 junk", "\x1f\x8b\x08 junk",
                                 std::string("\xfd"
                                             "7zXZ\0 junk",
                                             11),
                                 "\x28\xb5\x2f\xfd junk", "BZh91AY",
                                 std::string(2 << 20, 'x') + "\n", std::string("Package: a\n\n"));
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));
  tree.file("/etc/apt/sources.list", "deb http://x/ s main bad\n")
      .file(std::string(kLists) + "bad_binary-amd64_Packages", bad);

  const auto answer = run(tree, {"package_updates"});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("package_updates", "name", "a", "candidate_version") == "2");
  CHECK(answer.has_gap("package_updates", std::string(kLists) + "bad_binary-amd64_Packages"));
}

TEST_CASE("compressed lists are read like plain ones", "[host]") {
  const std::string text = entry("zz", "1") + entry("a", "2");
  std::string packed(1000, '\0');
  std::string name;
  SECTION("LZ4") {
    name = ".lz4";
    packed.resize(
        LZ4F_compressFrame(packed.data(), packed.size(), text.data(), text.size(), nullptr));
  }
  SECTION("gzip") {
    name = ".gz";
    z_stream stream = {};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::vector<Bytef> in(text.begin(), text.end());
    std::vector<Bytef> out(packed.size());
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(stream.total_out));
    deflateEnd(&stream);
  }
  sdk::TestTree tree;
  make_host(tree, "");
  tree.remove(std::string(kLists) + "main_binary-amd64_Packages")
      .file(std::string(kLists) + "main_binary-amd64_Packages" + name, packed);

  const auto answer = run(tree, {"package_updates"});

  CHECK(answer.cell("package_updates", "name", "a", "candidate_version") == "2");
}

TEST_CASE("FIFOs, links out of the root and unreadable files never block or lead out", "[host]") {
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));
  tree.fifo("/etc/apt/sources.list.d/f.list")
      .fifo("/etc/apt/preferences")
      .fifo("/etc/os-release")
      .symlink("/etc/apt/apt.conf", "../../../../../../etc/passwd")
      .remove(std::string(kLists) + "main_binary-amd64_Packages")
      .fifo(std::string(kLists) + "main_binary-amd64_Packages");

  const auto answer = run(tree);

  CHECK(answer.violation.empty());
  CHECK(answer.has_gap("apt_sources", "/etc/apt/sources.list.d/f.list"));
  CHECK(answer.has_gap("package_updates", "/etc/apt/preferences"));
  CHECK(answer.has_gap("package_updates", std::string(kLists) + "main_binary-amd64_Packages"));
  CHECK(answer.errors.contains("os_version"));
  CHECK(answer.tables.at("apt_config").empty());
}

TEST_CASE("a hostile status file is an error or gaps", "[host]") {
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));

  tree.file("/var/lib/dpkg/status", std::string("\0\xff\x01 junk\n", 9));
  CHECK_THAT(run(tree).errors.at("deb_packages"), Catch::StartsWith("parse-error"));
  tree.file("/var/lib/dpkg/status", installed("dpkg", "1") + "Package: a\nStatus: inst");
  CHECK(run(tree).has_gap("deb_packages", "end of file"));
  tree.remove("/var/lib/dpkg/status").fifo("/var/lib/dpkg/status");
  CHECK(run(tree).errors.contains("deb_packages"));
  tree.remove("/var/lib/dpkg/status").file("/var/lib/dpkg/status", "");
  REQUIRE(truncate((tree.path() + "/var/lib/dpkg/status").c_str(), 200 << 20) == 0);
  const auto answer = run(tree);
  CHECK_THAT(answer.errors.at("deb_packages"), Catch::StartsWith("too-large"));
  CHECK(answer.errors.contains("package_updates"));
}

TEST_CASE("unchanged files are answered by the token, changed ones are not", "[host]") {
  sdk::TestTree tree;
  make_host(tree, entry("a", "2"));
  const std::string list = std::string(kLists) + "main_binary-amd64_Packages";
  CHECK(run(tree, {"package_updates"}).tokens.empty());  // Written just now: not safe yet.
  for (const std::string& path :
       {std::string("/etc/apt/sources.list"), std::string(kLists) + "InRelease", list,
        std::string("/var/lib/dpkg/status")}) {
    age(tree, path);
  }

  const auto first = run(tree, {"package_updates", "deb_packages"});
  REQUIRE(first.tokens.size() == 2);
  CHECK(run(tree, {"package_updates", "deb_packages"}, first.tokens).unchanged.size() == 2);

  tree.file("/etc/apt/preferences.d/new", "Package: *\nPin: release *\nPin-Priority: -1\n");
  age(tree, "/etc/apt/preferences.d/new");
  const auto second = run(tree, {"package_updates"}, first.tokens);
  CHECK(second.unchanged.empty());
  CHECK(second.tables.at("package_updates").empty());
}

TEST_CASE("a reboot that packages ask for is reported with their names", "[host]") {
  sdk::TestTree tree;
  tree.file("/run/reboot-required", "").file("/run/reboot-required.pkgs", "libc6\nlinux\nlibc6\n");
  CHECK(run(tree).cell("reboot_status", "source", "reboot-required", "reason") == "libc6,linux");

  tree.remove("/run/reboot-required");
  CHECK(run(tree).has_gap("reboot_status", "/run/reboot-required"));
}

TEST_CASE("kernels are told from meta packages and compared without their flavour", "[kernel]") {
  CHECK(kernel_release_of_package("linux-image-6.1.0-38-amd64") == "6.1.0-38-amd64");
  CHECK(kernel_release_of_package("linux-image-unsigned-6.8.0-40-generic") == "6.8.0-40-generic");
  for (const char* name : {"linux-image-amd64", "linux-image-6.1.0-38-amd64-dbg", "linux-image-6.1",
                           "linux-headers-6.1.0-38-amd64", "linux-image-"}) {
    CAPTURE(name);
    CHECK(kernel_release_of_package(name).empty());
  }
  CHECK(compare_kernel_releases("6.1.0-9-amd64", "6.1.0-10-amd64") < 0);
  CHECK(compare_kernel_releases("6.1.0-38-cloud-amd64", "6.1.0-38-amd64") == 0);
  CHECK(newest_kernel({{"6.1.0-9-amd64", ""}, {"6.1.0-10-amd64", ""}}, "")->release ==
        "6.1.0-10-amd64");
  CHECK(newest_kernel({{"6.1.0-9-a", ""}, {"6.1.0-9-b", ""}}, "6.1.0-9-b")->release == "6.1.0-9-b");
  CHECK_FALSE(newest_kernel({}, "x"));
  const InstalledKernel rebuilt{"6.1.0-38-amd64", "6.1.147-1"};
  CHECK_FALSE(is_newest({"6.1.0-38-amd64", "#1 SMP Debian 6.1.146-1 (2025-01-01)"}, rebuilt));
  CHECK(is_newest({"6.1.0-38-amd64", "#1 SMP Debian 6.1.147-1 (2025-01-01)"}, rebuilt));
  CHECK_FALSE(is_newest({"6.1.0-37-amd64", ""}, rebuilt));
}

TEST_CASE("releases have their support dates, unknown ones have none", "[os_release]") {
  const auto dates = [](const char* text) { return support_dates(*parse_os_release(text)); };
  const auto fedora = dates("ID=fedora\nVERSION_ID=42\nSUPPORT_END=2026-05-13\n");
  CHECK(fedora.support_end == parse_second("2026-05-13T23:59:59Z").value());
  CHECK_FALSE(dates("ID=fedora\nVERSION_ID=42\nSUPPORT_END=soon\n").support_end);
  CHECK(dates("ID=debian\nVERSION_ID=12\nSUPPORT_END=2020-01-01\n").support_end ==
        dates("ID=debian\nVERSION_ID=12\n").support_end);
  CHECK(dates("ID=debian\nVERSION_ID=\"12\"\n").support_end ==
        *parse_second("2026-07-11T23:59:59Z"));
  CHECK(dates("ID='almalinux'\nVERSION_ID='9.4'\n").support_end ==
        *parse_second("2032-05-31T23:59:59Z"));
  CHECK_FALSE(dates("ID=rocky\nVERSION_ID=9\n").lts_end);
  CHECK_FALSE(dates("ID=debian\nVERSION_ID=1\n").support_end);
  CHECK_FALSE(dates("ID=arch\n").support_end);
  CHECK_FALSE(parse_os_release("junk"));
  CHECK(parse_os_release("NAME=\"a \\\"b\\\"\"\r\nX=1\n")->name == "a \"b\"");
  CHECK_FALSE(parse_os_release("ID=arch\n")->version_id);
}

TEST_CASE("Release files are read in and out of their armour", "[release]") {
  const std::string body = "Origin: O\nSuite: s\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n";
  const std::string armoured = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + body +
                               "-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n";
  CHECK(parse_release(body)->date == *parse_second("2026-07-11T10:16:37Z"));
  CHECK(parse_release(armoured)->origin == "O");
  for (std::size_t size = 60; size + 28 < armoured.size(); size += 7) {
    CAPTURE(size);
    CHECK_FALSE(parse_release(armoured.substr(0, size)));
  }
  CHECK_FALSE(parse_release("<html>not found</html>\n"));
  CHECK_FALSE(parse_release("Origin: O\nDate: yesterday\n"));
  CHECK_FALSE(parse_release_date("Sat, 31 Feb 2026 10:16:37 UTC"));
  CHECK_FALSE(parse_release_date("Sat, 11 Jul 2026 10:16:37 CET"));
  Release release;
  CHECK_FALSE(release.is_security());
  release.codename = "bookworm-security";
  CHECK(release.is_security());
}

}  // namespace
}  // namespace vouch::patch_level
