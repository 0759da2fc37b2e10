// SPDX-License-Identifier: Apache-2.0
// Access lists and flags of files, with setfacl, getfacl, chattr and lsattr as the judges.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/plain_files.h"
#include "collectors/config_drift/posix_acl.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::drift;
using sdk::TestTree;

namespace {

// The standard output; "" and a warning where the tool is missing or the file system refuses.
std::string run(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.environment = default_environment();
  const auto exit = run_process(command);
  if (exit && exit->code == 0) return exit->standard_output + "ok";
  WARN("skipped: " << command.argv[0] << " "
                   << (exit ? exit->standard_error : exit.error().message));
  return "";
}

// getfacl's lines as the table has them. Those of the default list begin with "default:".
std::string listed(std::string text, const std::string& prefix) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line = text.substr(0, std::min(end, text.find('\t')));  // Without "#effective".
    text.erase(0, end + 1);
    const bool is_default = line.starts_with("default:");
    if (line.find("::") == std::string::npos && line.find(':') == std::string::npos) continue;
    if (is_default != !prefix.empty()) continue;
    out += (out.empty() ? "" : ",") + line.substr(prefix.size());
  }
  return out;
}

sdk::TestAnswer collect(const TestTree& tree, std::map<std::string, std::string> tokens = {},
                        const std::string& cache_dir = "") {
  sdk::TestRequest request{.tables = {"file_attributes"}};
  request.options["paths"] = json::Array{"/a"};
  request.tokens = std::move(tokens);
  request.cache_dir = cache_dir;
  auto answer = run_collector(make_config_drift(), tree.path(), request);
  CHECK(answer.violation == "");
  return answer;
}

}  // namespace

TEST_CASE("access lists are those that getfacl shows", "[attributes]") {
  TestTree tree;
  tree.file("/a/plain", "x").file("/a/listed", "x", 0640).directory("/a/d").fifo("/a/pipe");
  tree.symlink("/a/link", "listed").file("/a/d/inner", "x");
  const std::string path = tree.path();
  if (run({"/usr/bin/setfacl", "-m", "u:1234:rw,g:77:r,u:5:x,m::rx", path + "/a/listed"}).empty()) {
    return;
  }
  REQUIRE(run({"/usr/bin/setfacl", "-m", "d:u:9:rwx,u:8:---", path + "/a/d"}) == "ok");
  REQUIRE(run({"/usr/bin/setfacl", "-m", "u:3:w", path + "/a/pipe"}) == "ok");

  const auto answer = collect(tree);

  CHECK(answer.tables.at("gaps").empty());
  CHECK(answer.tables.at("file_attributes").size() == 3);
  for (const std::string name : {"/a/listed", "/a/d", "/a/pipe"}) {
    const std::string said = run({"/usr/bin/getfacl", "-n", "-E", "-c", "-p", path + name});
    CHECK(answer.cell("file_attributes", "path", name, "acl") == listed(said, ""));
  }
  const std::string said = run({"/usr/bin/getfacl", "-n", "-E", "-c", "-p", path + "/a/d"});
  CHECK(answer.cell("file_attributes", "path", "/a/d", "default_acl") == listed(said, "default:"));
  CHECK(answer.cell("file_attributes", "path", "/a/listed", "default_acl") == "null");
  CHECK(answer.cell("file_attributes", "path", "/a/listed", "acl").find("user:1234:rw-") !=
        std::string::npos);
}

TEST_CASE("flags are those that lsattr shows", "[attributes]") {
  TestTree tree;
  tree.file("/a/i", "x").file("/a/a", "x").file("/a/both", "x").file("/a/none", "x");
  const std::string path = tree.path() + "/a/";
  if (run({"/usr/bin/chattr", "+i", path + "i"}).empty()) return;
  run({"/usr/bin/chattr", "+a", path + "a"});
  run({"/usr/bin/chattr", "+ia", path + "both"});

  const auto answer = collect(tree);

  for (const std::string name : {"i", "a", "both", "none"}) {
    const std::string said = run({"/usr/bin/lsattr", path + name});
    const std::string flags = said.substr(0, said.find(' '));
    const bool has_any = flags.find_first_of("ia") != std::string::npos;
    const auto cell = [&](const char* column) {
      return answer.cell("file_attributes", "path", "/a/" + name, column);
    };
    CAPTURE(name, flags);
    CHECK(cell("immutable") == (!has_any                               ? ""
                                : flags.find('i') != std::string::npos ? "true"
                                                                       : "false"));
    CHECK(cell("append_only") == (!has_any                               ? ""
                                  : flags.find('a') != std::string::npos ? "true"
                                                                         : "false"));
  }
  run({"/usr/bin/chattr", "-ia", path + "i", path + "a", path + "both"});
}

TEST_CASE("a list that came later is seen, and what is the same is not looked at", "[attributes]") {
  TestTree tree;
  tree.file("/a/f", "x");
  const auto first = collect(tree);
  CHECK(first.tables.at("file_attributes").empty());
  if (run({"/usr/bin/setfacl", "-m", "u:7:r", tree.path() + "/a/f"}).empty()) return;

  const auto second = collect(tree, first.tokens);

  CHECK(second.unchanged.empty());
  CHECK(second.tables.at("file_attributes").size() == 1);
}

TEST_CASE("a file that was plain is asked again once its ctime changes", "[attributes]") {
  TestTree tree;
  TestTree cache;
  tree.file("/a/f", "x").file("/a/g", "x");
  ::sleep(3);  // Until the time stamps are settled.
  CHECK(collect(tree, {}, cache.path()).tables.at("file_attributes").empty());
  const auto memory = read_file(cache.path() + "/file_attributes.cache", 1 << 20);
  REQUIRE(memory);
  REQUIRE(PlainFiles::parse(*memory));
  CHECK(PlainFiles::parse(*memory)->size() == 3);
  if (run({"/usr/bin/setfacl", "-m", "u:7:r", tree.path() + "/a/f"}).empty()) return;

  const auto answer = collect(tree, {}, cache.path());

  CHECK(answer.cell("file_attributes", "path", "/a/f", "acl").find("user:7") != std::string::npos);
  CHECK(answer.tables.at("file_attributes").size() == 1);
  CHECK(collect(tree, {}, cache.path()).tables.at("file_attributes").size() == 1);
}

TEST_CASE("what is plain is forgotten after a day, and a damaged memory is none", "[attributes]") {
  struct stat status {};
  status.st_ino = 7;
  status.st_ctim = {1000, 5};
  PlainFiles files(5000);
  files.add(status, 5000);
  files.sort();
  const std::string bytes = files.serialize();

  const auto read = PlainFiles::parse(bytes);

  REQUIRE(read);
  CHECK(read->has(status));
  CHECK_FALSE(read->is_old(5000 + 86399));
  CHECK(read->is_old(5000 + 86400));
  CHECK(read->is_old(4999));
  status.st_ctim.tv_nsec = 6;
  CHECK_FALSE(read->has(status));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK_FALSE(PlainFiles::parse(std::string_view(bytes).substr(0, i)));
  }
  status.st_ctim = {4999, 0};
  PlainFiles racy(5000);
  racy.add(status, 5000);
  CHECK(racy.size() == 0);
}

TEST_CASE("what is no access list is said to be none", "[attributes]") {
  using namespace std::string_literals;
  const std::string header = "\x02\0\0\0"s;
  const std::string owner = "\x01\0\x06\0\xff\xff\xff\xff"s;

  CHECK(posix_acl_text(header + owner) == "user::rw-");
  CHECK(posix_acl_text(header + owner + "\x02\0\x07\0\xd2\x04\0\0"s) == "user::rw-,user:1234:rwx");
  CHECK(posix_acl_text("") == "invalid");
  CHECK(posix_acl_text(header) == "invalid");
  CHECK(posix_acl_text(header + owner + "x") == "invalid");
  CHECK(posix_acl_text("\x03\0\0\0"s + owner) == "invalid");
  CHECK(posix_acl_text(header + "\x03\0\x06\0\0\0\0\0"s) == "invalid");
  CHECK(posix_acl_text(header + "\x01\0\x08\0\0\0\0\0"s) == "invalid");
}
