// SPDX-License-Identifier: Apache-2.0
#include "collectors/package_files/package_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/process.h"

namespace vouch::package_files {
namespace {

constexpr const char* kAbc = "900150983cd24fb0d6963f7d28e17f72";  // MD5 of "abc".

sdk::TestAnswer run(const std::string& root, const std::string& cache = {}) {
  return sdk::run_collector(make_package_files(), root, {.cache_dir = cache});
}

TEST_CASE("lines of checksums are read, others counted", "[package_files]") {
  std::size_t bad = 0;
  const std::string good = std::string(kAbc) + "  usr/bin/a b\n";
  const std::string text = good + "junk\n\n" + kAbc + " x\n" + kAbc + "  \n";
  const auto lines = parse_md5sums(text, bad);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].path == "usr/bin/a b");
  CHECK(bad == 3);
}

TEST_CASE("changed and missing files are found, good ones and links to good ones are not",
          "[package_files]") {
  sdk::TestTree tree;
  const std::string sum(kAbc);
  tree.file("/usr/bin/good", "abc")
      .file("/usr/bin/bad", "abd")
      .symlink("/bin", "usr/bin")
      .symlink("/usr/bin/out", "/../../../../etc/hostname")
      .fifo("/usr/bin/fifo")
      .file("/usr/bin/\xff", "abd")
      .file("/usr/bin/tool.real", "abc")
      .file("/usr/bin/tool", "other")
      .file("/var/lib/dpkg/diversions", "/usr/bin/tool\n/usr/bin/tool.real\nwrapper\n")
      .file("/var/lib/dpkg/info/a.md5sums", sum + "  bin/good\n" + sum + "  usr/bin/bad\n" + sum +
                                                "  usr/bin/gone\n" + sum + "  usr/bin/out\n" + sum +
                                                "  usr/bin/fifo\n" + sum + "  usr/bin/\xff\n" +
                                                sum + "  usr/bin/tool\njunk\n")
      .file("/var/lib/dpkg/info/wrapper.md5sums", sum + "  usr/bin/tool\n")
      .fifo("/var/lib/dpkg/info/b.md5sums");

  const auto answer = run(tree.path());

  CAPTURE(answer.raw);
  CHECK(answer.violation.empty());
  const auto problem = [&](const char* path) {
    return answer.cell("modified_package_files", "path", path, "problem");
  };
  CHECK(problem("/bin/good").empty());
  CHECK(problem("/usr/bin/bad") == "changed");
  CHECK(problem("/usr/bin/gone") == "missing");
  CHECK(problem("/usr/bin/out") == "missing");
  CHECK(problem("/usr/bin/fifo") == "not a file");
  CHECK(problem("/usr/bin/\\xff") == "changed");
  CHECK(problem("/usr/bin/tool.real").empty());
  CHECK(problem("/usr/bin/tool") == "changed");  // Of the package that diverts.
  CHECK(answer.has_gap("modified_package_files", "/var/lib/dpkg/info/a.md5sums"));
  CHECK(answer.has_gap("modified_package_files", "/var/lib/dpkg/info/b.md5sums"));
}

TEST_CASE("a good file is not read again, a changed one is", "[package_files]") {
  sdk::TestTree tree;
  sdk::TestTree cache;
  tree.file("/f", "abc").file("/var/lib/dpkg/info/a.md5sums", std::string(kAbc) + "  f\n");
  ::sleep(3);  // Until the file's time stamp is settled.
  CHECK(run(tree.path(), cache.path()).tables.at("modified_package_files").empty());
  const auto names = list_directory(cache.path(), 10);
  REQUIRE(names);
  REQUIRE(names->size() == 1);
  const std::string memory = cache.path() + "/" + names->front();
  REQUIRE(GoodFiles::parse(*read_file(memory, 1000)));
  CHECK(std::filesystem::file_size(memory) > 64 + 20);

  // The same size and time of modification: its ctime tells.
  struct stat before {};
  REQUIRE(::stat((tree.path() + "/f").c_str(), &before) == 0);
  tree.file("/f", "abd");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  REQUIRE(::utimensat(AT_FDCWD, (tree.path() + "/f").c_str(), times, 0) == 0);
  CHECK(run(tree.path(), cache.path()).tables.at("modified_package_files").size() == 1);

  cache.file("/" + names->front(), "junk");
  CHECK(run(tree.path(), cache.path()).tables.at("modified_package_files").size() == 1);
}

TEST_CASE("no damaged memory is taken for one", "[package_files]") {
  GoodFiles files;
  files.add(1);
  files.add(0xffffffffffffffffULL);
  const std::string bytes = files.serialize();
  CHECK(GoodFiles::parse(bytes)->has(0xffffffffffffffffULL));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK_FALSE(GoodFiles::parse(std::string_view(bytes).substr(0, i)));
  }
}

TEST_CASE("dpkg --verify finds the same changed files of a package of this host",
          "[package_files]") {
  if (access("/usr/bin/dpkg", X_OK) != 0 || access("/var/lib/dpkg/info/apt.md5sums", R_OK) != 0) {
    WARN("skipped: no dpkg here");
    return;
  }
  // The package apt alone, in a root with one file of it changed and one gone.
  sdk::TestTree tree;
  namespace fs = std::filesystem;
  const auto sums = read_file("/var/lib/dpkg/info/apt.md5sums", 1 << 20);
  REQUIRE(sums);
  std::size_t bad = 0;
  const auto lines = parse_md5sums(*sums, bad);
  REQUIRE(lines.size() > 3);
  for (const ChecksumLine& line : lines) {
    const auto bytes = read_file("/" + std::string(line.path), 64 << 20);
    if (bytes) tree.file("/" + std::string(line.path), *bytes);
  }
  const std::string first = "/" + std::string(lines[0].path);
  tree.file(first, "changed").remove("/" + std::string(lines[1].path));
  tree.file("/var/lib/dpkg/info/apt.md5sums", *sums);
  std::string list;
  for (const ChecksumLine& line : lines) list += "/" + std::string(line.path) + "\n";
  tree.file("/var/lib/dpkg/info/apt.list", list).directory("/var/lib/dpkg/updates");
  tree.file("/var/lib/dpkg/status",
            "Package: apt\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
            "Maintainer: x\nDescription: x\n\n");
  Command command;
  command.argv = {"/usr/bin/dpkg", "--root=" + tree.path(), "--verify"};
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  const auto exit = run_process(command);
  REQUIRE(exit);
  std::set<std::string> theirs;  // "??5??????   /path", "missing     /path (reason)"
  for (std::string_view rest = exit->standard_output; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto path = line.substr(line.find('/'));
    theirs.emplace(path.substr(0, path.find(' ')));
  }

  const auto answer = run(tree.path());

  std::set<std::string> ours;
  for (const json::Value& row : answer.tables.at("modified_package_files")) {
    ours.insert(*json::get_string(row, "path"));
  }
  CAPTURE(exit->standard_output, exit->standard_error);
  CHECK(ours == theirs);
  CHECK(ours.contains(first));
}

}  // namespace
}  // namespace vouch::package_files
