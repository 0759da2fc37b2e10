// SPDX-License-Identifier: Apache-2.0
#include "core/root.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

namespace vouch {
namespace {

namespace fs = std::filesystem;

// A directory that plays a mounted image, beside a file that nobody may reach from inside it.
class Image {
 public:
  Image() {
    std::string name = (fs::temp_directory_path() / "vouch-root-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    base_ = name;
    write(base_ / "outside", "secret of the host");
    fs::create_directories(base_ / "image/etc");
    write(base_ / "image/etc/passwd", "root:x:0:0\n");
  }
  ~Image() { fs::remove_all(base_); }
  static void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
  [[nodiscard]] fs::path at(const char* path) const { return base_ / "image" / path; }
  [[nodiscard]] Root root() const {
    auto root = Root::open((base_ / "image").string());
    REQUIRE(root);
    return *std::move(root);
  }

 private:
  fs::path base_;
};

}  // namespace

TEST_CASE("files are read below the root", "[root]") {
  const Image image;
  const auto root = image.root();

  CHECK_FALSE(root.is_host());
  CHECK(root.read("/etc/passwd", 100).value() == "root:x:0:0\n");
  CHECK(root.read("/etc/../etc/passwd", 100).value() == "root:x:0:0\n");
  CHECK(root.exists("/etc"));
  CHECK(root.read("/etc/shadow", 100).error().code == Errc::not_found);
  CHECK(root.read("/etc/passwd", 5).error().code == Errc::too_large);
}

TEST_CASE("the host's own root is recognised by what it is", "[root]") {
  CHECK(Root::open("/").value().is_host());
  CHECK(Root::open("/usr/..").value().is_host());
  CHECK(Root::open("/nonexistent").error().code == Errc::not_found);
}

TEST_CASE("no symbolic link and no dots lead out of the root", "[root]") {
  const Image image;
  const auto root = image.root();
  fs::create_symlink("/outside", image.at("absolute"));
  fs::create_symlink("../../outside", image.at("relative"));
  fs::create_directory_symlink("..", image.at("up"));

  const auto path = GENERATE(as<std::string>{}, "/absolute", "/relative", "/up/outside",
                             "/../outside", "/etc/../../outside");
  CAPTURE(path);

  CHECK(root.read(path, 100).error().code == Errc::not_found);
}

TEST_CASE("an absolute symbolic link is followed inside the root", "[root]") {
  const Image image;
  const auto root = image.root();
  fs::create_symlink("/etc/passwd", image.at("link"));

  CHECK(root.read("/link", 100).value() == "root:x:0:0\n");
  CHECK(root.read_link("/link").value() == "/etc/passwd");
  CHECK(S_ISREG(root.stat("/link").value().st_mode));
  CHECK(S_ISLNK(root.lstat("/link").value().st_mode));
}

TEST_CASE("magic links are refused, on the host too", "[root]") {
  const auto root = Root::open("/").value();

  CHECK_FALSE(root.read("/proc/self/exe", 100));
  CHECK_FALSE(root.list("/proc/self/cwd"));
  CHECK(root.read("/proc/self/status", 1 << 16));
}

TEST_CASE("what is no regular file is refused without blocking", "[root]") {
  const Image image;
  const auto root = image.root();
  REQUIRE(mkfifo(image.at("fifo").c_str(), 0600) == 0);

  CHECK(root.read("/fifo", 100).error().code == Errc::invalid);
  CHECK_FALSE(root.read("/etc", 100));
  CHECK(Root::open("/").value().read("/dev/zero", 100).error().code == Errc::invalid);
}

TEST_CASE("a directory lists its names in byte order, within a bound", "[root]") {
  const Image image;
  const auto root = image.root();
  for (const char* name : {"etc/b", "etc/a", "etc/Z", "etc/.hidden"})
    Image::write(image.at(name), "");

  CHECK(root.list("/etc").value() == std::vector<std::string>{".hidden", "Z", "a", "b", "passwd"});
  CHECK(root.list("/etc", 5).has_value());
  CHECK(root.list("/etc", 4).error().code == Errc::too_large);
  CHECK(root.list("/none").error().code == Errc::not_found);
  CHECK_FALSE(root.list("/etc/passwd"));
}

TEST_CASE("paths that are not absolute are refused", "[root]") {
  const Image image;
  const auto root = image.root();
  const auto path =
      GENERATE(as<std::string>{}, "", "etc/passwd", std::string("/etc/passwd\0x", 13));

  CHECK(root.read(path, 100).error().code == Errc::invalid);
}

TEST_CASE("reading a link that is none fails as such", "[root]") {
  const Image image;

  CHECK(image.root().read_link("/etc/passwd").error().code != Errc::not_found);
  CHECK(image.root().read_link("/none").error().code == Errc::not_found);
}

TEST_CASE("what is no regular file is not even opened", "[root]") {
  const Image image;
  const std::string fifo = image.at("fifo").string();
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(inotify_add_watch(watch, fifo.c_str(), IN_OPEN) > 0);
  std::array<char, 512> events;

  CHECK_FALSE(image.root().read("/fifo", 100));
  CHECK(::read(watch, events.data(), events.size()) < 0);
  ::close(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  CHECK(::read(watch, events.data(), events.size()) > 0);
  ::close(watch);
}

TEST_CASE("what is to be avoided is not reached by any way", "[root]") {
  const Image image;
  auto root = image.root();
  fs::create_directories(image.at("home/ann"));
  Image::write(image.at("home/ann/file"), "x");
  fs::create_symlink("/home/ann", image.at("etc/absolute"));
  fs::create_symlink("../home/./ann/file", image.at("etc/relative"));
  fs::create_symlink("loop", image.at("loop"));
  fs::create_symlink("/../etc/passwd", image.at("good"));
  REQUIRE(root.read("/etc/relative", 10).value() == "x");

  root.avoid({"/home/ann"});

  for (const char* path : {"/home/ann", "/home/ann/", "//home/../home/ann/file",
                           "/etc/absolute/file", "/etc/relative", "/home/ann/none"}) {
    CAPTURE(path);
    CHECK(root.stat(path).error().code == Errc::timeout);
    CHECK(root.read(path, 10).error().message.find("/home/ann does not answer") !=
          std::string::npos);
  }
  CHECK(root.read("/good", 100).value() == "root:x:0:0\n");
  CHECK(root.list("/home").value() == std::vector<std::string>{"ann"});
  CHECK(root.list("/").has_value());
  CHECK(root.read("/../../outside", 100).error().code == Errc::not_found);
  CHECK(root.read_link("/etc/absolute").value() == "/home/ann");
  CHECK(S_ISLNK(root.lstat("/loop").value().st_mode));
  CHECK_FALSE(root.stat("/loop"));
  CHECK(root.stat("/home/bob").error().code == Errc::not_found);
}

// systemd's RestrictSUIDSGID= answers openat2(2) so. What is done holds for the whole process: in a
// child.
TEST_CASE("in a sandbox without openat2 the host is examined, and nothing else", "[root]") {
  const Image image;
  const std::string inside = image.at("etc/passwd").string();
  const pid_t pid = fork();
  if (pid == 0) {
    std::array<struct sock_filter, 4> code{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const struct sock_fprog program { static_cast<unsigned short>(code.size()), code.data() };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(10);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(11);
    const auto host = Root::open("/").value();
    if (host.read(inside, 100).value() != "root:x:0:0\n") _exit(12);
    if (host.read("/none", 100).error().code != Errc::not_found) _exit(13);
    if (image.root().read("/etc/passwd", 100).error().code != Errc::unsupported) _exit(14);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(WIFEXITED(status));
}

}  // namespace vouch
