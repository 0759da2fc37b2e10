// SPDX-License-Identifier: Apache-2.0
#include "collectors/special_files/special_files.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "collectors/sdk/testing.h"
#include "collectors/special_files/file_capabilities.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::special_files;
using sdk::TestTree;

namespace {

// The accounts of the image: whoever runs the test owns its files.
TestTree& with_accounts(TestTree& tree) {
  tree.file("/etc/passwd",
            "root:x:0:0::/:/bin/sh\nme:x:" + std::to_string(::getuid()) + ":0::/:/\n");
  return tree.file("/etc/group", "root:x:0:\nme:x:" + std::to_string(::getgid()) + ":\n");
}

void change_mode(const TestTree& tree, const std::string& path, mode_t mode) {
  REQUIRE(::chmod((tree.path() + path).c_str(), mode) == 0);
}

sdk::TestAnswer collect(const TestTree& tree, const sdk::TestRequest& request = {}) {
  auto answer = sdk::run_collector(make_special_files(), tree.path(), request);
  CHECK(answer.violation == "");
  return answer;
}

std::string run_tool(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.environment = default_environment();
  const auto exit = run_process(command);
  return exit && exit->how == Exit::How::exited ? exit->standard_output : "";
}

bool is_tool(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

std::set<std::string> paths_of(const sdk::TestAnswer& answer, const std::string& table) {
  std::set<std::string> paths;
  for (const auto& row : answer.tables.at(table)) paths.insert(*json::get_string(row, "path"));
  return paths;
}

// Under its old name, so that the bind mount goes with the test.
struct BindMount {
  std::string target;
  bool is_made;
  BindMount(const std::string& source, std::string where)
      : target(std::move(where)),
        is_made(::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) == 0) {}
  ~BindMount() {
    if (is_made) ::umount(target.c_str());
  }
};

}  // namespace

TEST_CASE("privilege and looseness are found, and what is as it should be is not", "[walk]") {
  TestTree tree;
  with_accounts(tree);
  tree.file("/usr/bin/su", "x").file("/usr/bin/wall", "x").file("/usr/bin/plain", "x", 0755);
  tree.file("/var/open", "x").directory("/var/shared").directory("/tmp").symlink("/link", "su");
  tree.file("/usr/bin/na\xFFme\n x", "x").fifo("/var/pipe");
  change_mode(tree, "/usr/bin/su", 04755);
  change_mode(tree, "/usr/bin/wall", 02755);
  change_mode(tree, "/usr/bin/na\xFFme\n x", 06711);
  change_mode(tree, "/var/open", 0666);
  change_mode(tree, "/var/shared", 0777);
  change_mode(tree, "/tmp", 01777);

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("gaps").empty());
  CHECK(paths_of(answer, "suid_bin") ==
        std::set<std::string>{"/usr/bin/su", "/usr/bin/wall", "/usr/bin/na\\xffme\\x0a x"});
  CHECK(answer.cell("suid_bin", "path", "/usr/bin/su", "setuid") == "true");
  CHECK(answer.cell("suid_bin", "path", "/usr/bin/su", "setgid") == "false");
  CHECK(answer.cell("suid_bin", "path", "/usr/bin/su", "mode") == "4755");
  CHECK(answer.cell("suid_bin", "path", "/usr/bin/su", "capabilities") == "null");
  CHECK(answer.cell("suid_bin", "path", "/usr/bin/su", "sha256") ==
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
  CHECK(paths_of(answer, "unsafe_files") == std::set<std::string>{"/var/open", "/var/shared"});
  CHECK(answer.cell("unsafe_files", "path", "/var/shared", "type") == "directory");
}

TEST_CASE("what is owned by nobody is found, also a link and the root itself", "[walk]") {
  TestTree tree;
  tree.file("/etc/passwd", "root:x:0:0::/:/bin/sh\n").file("/etc/group", "root:x:0:\n");
  if (::getuid() != 0) {
    WARN("skipped: only root gives files away");
    return;
  }
  tree.file("/a", "x").symlink("/l", "a").file("/b", "x");
  REQUIRE(::chown((tree.path() + "/a").c_str(), 4711, 0) == 0);
  REQUIRE(::lchown((tree.path() + "/l").c_str(), 0, 4711) == 0);
  change_mode(tree, "/", 0777);

  const auto answer = collect(tree);

  CHECK(paths_of(answer, "unsafe_files") == std::set<std::string>{"/", "/a", "/l"});
  CHECK(answer.cell("unsafe_files", "path", "/a", "unowned_user") == "true");
  CHECK(answer.cell("unsafe_files", "path", "/a", "unowned_group") == "false");
  CHECK(answer.cell("unsafe_files", "path", "/l", "unowned_group") == "true");
  CHECK(answer.cell("unsafe_files", "path", "/", "world_writable") == "true");
}

TEST_CASE("a set-uid file on a bind mount is reported once, where it lies", "[walk]") {
  TestTree tree;
  with_accounts(tree);
  tree.file("/srv/data/su", "x").directory("/a");
  change_mode(tree, "/srv/data/su", 04755);
  const BindMount bind(tree.path() + "/srv/data", tree.path() + "/a");
  if (!bind.is_made) {
    WARN("skipped: mounts are not permitted");
    return;
  }

  CHECK(paths_of(collect(tree), "suid_bin") == std::set<std::string>{"/srv/data/su"});
}

TEST_CASE("what is excluded is not entered, and an account file is needed", "[walk]") {
  TestTree tree;
  with_accounts(tree);
  tree.file("/keep/su", "x").file("/skip/su", "x").file("/skipnot/su", "x");
  for (const std::string path : {"/keep/su", "/skip/su", "/skipnot/su"}) {
    change_mode(tree, path, 04755);
  }
  sdk::TestRequest request;
  request.options["exclude"] = json::Array{"/skip/"};

  CHECK(paths_of(collect(tree, request), "suid_bin") ==
        std::set<std::string>{"/keep/su", "/skipnot/su"});

  tree.remove("/etc/passwd");
  const auto answer = collect(tree);
  CHECK(answer.errors.contains("unsafe_files"));
  CHECK(answer.errors.contains("suid_bin"));
}

TEST_CASE("file capabilities are shown as getcap shows them", "[walk]") {
  TestTree tree;
  with_accounts(tree);
  tree.file("/ping", "x", 0755);
  const auto text = GENERATE(as<std::string>{}, "cap_net_raw=ep", "cap_net_raw=p",
                             "cap_net_bind_service,cap_net_admin=eip", "cap_sys_ptrace=ei");
  const std::string file = tree.path() + "/ping";
  if (!is_tool("/usr/sbin/setcap") || ::getuid() != 0) {
    WARN("skipped: setcap is missing, or not permitted");
    return;
  }
  run_tool({"/usr/sbin/setcap", text, file});
  const std::string line = run_tool({"/usr/sbin/getcap", file});
  REQUIRE(line.find(' ') != std::string::npos);
  const std::string expected = line.substr(line.find(' ') + 1, line.size() - line.find(' ') - 2);

  CHECK(collect(tree).cell("suid_bin", "path", "/ping", "capabilities") == expected);
}

TEST_CASE("an attribute that is no capability is said to be one", "[walk]") {
  CHECK(file_capabilities_text("") == "invalid");
  CHECK(file_capabilities_text("abc") == "invalid");
  CHECK(file_capabilities_text(std::string(20, '\0')) == "invalid");
  CHECK(file_capabilities_text(std::string("\1\0\0\2", 4) + std::string(15, '\0')) == "invalid");
  CHECK(file_capabilities_text(std::string("\1\0\0\2", 4) + std::string(16, '\0')) == "=");
  CHECK(file_capabilities_text(std::string("\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0", 20)) ==
        "63=p");
}

TEST_CASE("find(1) finds the same on this host", "[walk]") {
  if (!is_tool("/usr/bin/find") || ::getuid() != 0) {
    WARN("skipped: find is missing, or not permitted to see all");
    return;
  }
  // One directory of programs, as an image, is enough, and does not change meanwhile.
  TestTree tree;
  with_accounts(tree);
  tree.directory("/bin");
  const BindMount bind("/usr/bin", tree.path() + "/bin");
  if (!bind.is_made) {
    WARN("skipped: mounts are not permitted");
    return;
  }
  std::set<std::string> expected;
  std::string lines =
      run_tool({"/usr/bin/find", tree.path() + "/bin", "-type", "f", "-perm", "/6000"});
  for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos;
       lines.erase(0, end + 1)) {
    expected.insert(lines.substr(tree.path().size(), end - tree.path().size()));
  }

  const auto answer = collect(tree);

  std::set<std::string> found;
  for (const auto& row : answer.tables.at("suid_bin")) {
    if (*json::get_bool(row, "setuid") || *json::get_bool(row, "setgid")) {
      found.insert(*json::get_string(row, "path"));
    }
  }
  CHECK(found == expected);
}
