// SPDX-License-Identifier: Apache-2.0
// The runner against a real supervisor, in a process of its own, and real collectors.
#include "agent/vouchd/socket_runner.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "agent/collect/supervisor.h"
#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

constexpr const char* kAnswer =
    "printf '{\"table\":\"users\"}\\n{\"table\":\"gaps\"}\\n'\n"
    "printf '{\"end\":{\"rows\":{\"users\":0,\"gaps\":0},\"unchanged\":0,\"errors\":0}}\\n'\n";

// A host where vouch-collect stands behind the socket of the collector `accounts`.
class SupervisedWorld : public World {
 public:
  explicit SupervisedWorld(const std::function<void(SupervisorOptions&)>& change = nullptr) {
    std::ifstream file(directory + "/accounts");
    describe_.assign(std::istreambuf_iterator<char>(file), {});
    set_collector(kAnswer);
    options.program_dirs = {directory};
    options.program_owner = ::geteuid();
    options.clients = {::geteuid()};
    options.idle = std::chrono::seconds(60);
    if (change) change(options);
    listen();
    supervisor_ = ::fork();
    REQUIRE(supervisor_ >= 0);
    if (supervisor_ == 0) ::_exit(serve(listener_, options));
    listener_.reset();
  }
  ~SupervisedWorld() {
    ::kill(supervisor_, SIGKILL);
    ::waitpid(supervisor_, nullptr, 0);
  }

  // What the collector does in a run; --describe stays as it was.
  void set_collector(const std::string& script) const {
    write("accounts",
          "#!/bin/sh\nif [ \"$1\" = --describe ]; then\n" + describe_ + "exit 0\nfi\n" + script);
  }
  RunReport run(std::int64_t deadline_ms = 20'000) {
    const auto collectors = load_collectors(config, socket_runner, nullptr);
    if (!collectors) FAIL(collectors.error().message);
    return run_loaded(collectors->at(0), deadline_ms);
  }
  RunReport run_loaded(const Collector& collector, std::int64_t deadline_ms = 20'000) {
    RunRequest request;
    request.run = "accounts/1";
    request.tables = {"users", "gaps"};
    request.deadline_ms = deadline_ms;
    return socket_runner.run(collector, request);
  }
  [[nodiscard]] std::string note() const {
    std::ifstream file(directory + "/note");
    std::string text;
    std::getline(file, text);
    return text;
  }

  SupervisorOptions options;
  SystemClock real_clock;
  SocketRunner socket_runner{real_clock, directory};

 private:
  void listen() {
    listener_ = Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    const std::string path = directory + "/accounts.sock";
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const struct sockaddr*>(&address),
                   sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
  }

  std::string describe_;
  Fd listener_;
  pid_t supervisor_ = -1;
};

const RunViolation& violation_of(const RunReport& report) {
  const auto* violation = std::get_if<RunViolation>(&report.result);
  REQUIRE(violation != nullptr);
  return *violation;
}

bool is_alive(const std::string& pid) {
  const auto stat = read_file("/proc/" + pid + "/stat", 4096);
  return stat && stat->find(") Z ") == std::string::npos;
}

}  // namespace

TEST_CASE("a collector behind a socket answers as one that is started directly", "[socket]") {
  SupervisedWorld world;
  const auto report = world.run();

  REQUIRE(std::holds_alternative<Snapshot>(report.result));
  CHECK(report.was_started);
  const auto text = read_file(world.directory + "/accounts", 1 << 20).value();
  CHECK(report.collector.digest == sha256_hex(text));
}

TEST_CASE("a program that is no script runs from the file that was looked at", "[socket]") {
  SupervisedWorld world;
  const auto collectors = load_collectors(world.config, world.socket_runner, nullptr).value();
  std::filesystem::remove(world.directory + "/accounts");
  std::filesystem::copy("/bin/false", world.directory + "/accounts");
  Collector collector = collectors.at(0);
  collector.digest = file_digest(collector.program).value();

  const auto report = world.run_loaded(collector);

  CHECK(report.was_started);
  CHECK(violation_of(report).message == "exit status 1");
}

TEST_CASE("what a collector leaves running in a session of its own is ended", "[socket]") {
  SupervisedWorld world;
  world.set_collector("setsid sh -c 'echo $$ >" + world.directory +
                      "/note; exec sleep 300' >/dev/null 2>&1 &\n"
                      "while ! [ -s " +
                      world.directory + "/note ]; do sleep 0.01; done\n" + kAnswer);

  const auto report = world.run();

  REQUIRE(std::holds_alternative<Snapshot>(report.result));
  REQUIRE_FALSE(world.note().empty());
  CHECK_FALSE(is_alive(world.note()));
}

TEST_CASE("a collector that hangs and ignores SIGTERM ends at its deadline", "[socket]") {
  SupervisedWorld world;
  world.set_collector("trap '' TERM\necho $$ >" + world.directory +
                      "/note\nwhile :; do sleep 0.1; done\n");

  const auto report = world.run(700);

  CHECK(violation_of(report).reason == Violation::deadline);
  CHECK_FALSE(is_alive(world.note()));
}

TEST_CASE("a collector whose answer is refused is ended at once", "[socket]") {
  SupervisedWorld world;
  world.set_collector("echo nonsense\nsleep 300\n");

  const auto report = world.run();

  CHECK(violation_of(report).reason == Violation::bad_json);
  CHECK(report.duration_ms < 15'000);
}

TEST_CASE("how a collector ended is told by the supervisor", "[socket]") {
  SupervisedWorld world;
  world.set_collector("exit 3\n");
  CHECK(violation_of(world.run()).message == "exit status 3");

  world.set_collector("kill -SEGV $$\n");
  CHECK(violation_of(world.run()).message == "ended by signal 11");
}

TEST_CASE("cancel ends a run under way", "[socket]") {
  SupervisedWorld world;
  world.set_collector("echo $$ >" + world.directory + "/note\nsleep 300\n");
  std::thread canceller([&] {
    while (world.note().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    world.socket_runner.cancel();
  });

  const auto report = world.run();
  canceller.join();

  CHECK(violation_of(report).message == "stopped with the agent");
  for (int i = 0; i < 400 && is_alive(world.note()); ++i) ::usleep(5000);
  CHECK_FALSE(is_alive(world.note()));
}

TEST_CASE("a program outside the supervisor's directories is not started", "[socket]") {
  SupervisedWorld world(
      [](SupervisorOptions& options) { options.program_dirs = {"/usr/libexec/vouch/collectors"}; });
  const auto collectors = load_collectors(world.config, world.socket_runner, nullptr);

  REQUIRE_FALSE(collectors);
  CHECK_THAT(collectors.error().message, Catch::Contains("are started from"));
}

TEST_CASE("a program that others can change is not started", "[socket]") {
  SupervisedWorld world;
  const auto collectors = load_collectors(world.config, world.socket_runner, nullptr).value();
  std::filesystem::permissions(world.directory + "/accounts", std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);

  const auto report = world.run_loaded(collectors.at(0));

  CHECK_FALSE(report.was_started);
  CHECK_THAT(violation_of(report).message, Catch::Contains("writ"));
}

TEST_CASE("a user who is no client is not served", "[socket]") {
  SupervisedWorld world([](SupervisorOptions& options) { options.clients = {12345}; });

  CHECK_FALSE(load_collectors(world.config, world.socket_runner, nullptr));
}

TEST_CASE("without a socket the message says what to enable", "[socket]") {
  World world;
  const SystemClock clock;
  SocketRunner runner(clock, world.directory);

  const auto collectors = load_collectors(world.config, runner, nullptr);

  REQUIRE_FALSE(collectors);
  CHECK_THAT(collectors.error().message,
             Catch::Contains("systemctl enable --now 'vouch-collect@accounts.socket'"));
}

TEST_CASE("the collector is given the host's mount table and nothing else", "[socket]") {
  SupervisedWorld world([](SupervisorOptions& options) {
    static const Fd mounts(::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC));
    options.mounts_fd = host_mounts_fd(mounts.get());
  });
  world.set_collector(
      "{ head -c 1 <&3 | wc -c; ls /proc/$$/fd; echo $VOUCH_HOST_MOUNTS; } | "
      "tr '\\n' ' ' >" +
      world.directory + "/note\n" + kAnswer);

  REQUIRE(std::holds_alternative<Snapshot>(world.run().result));

  // 10 (or 255) is the shell's own, of the script that it reads.
  CHECK_THAT(world.note(), Catch::Matches("1 0 1 (10 )?2 (255 )?3 3 "));
}

TEST_CASE("the collector is told where the credentials of its unit are", "[socket]") {
  ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
  SupervisedWorld world;  // The supervisor is forked here.
  ::unsetenv("CREDENTIALS_DIRECTORY");
  world.set_collector("echo $CREDENTIALS_DIRECTORY >" + world.directory + "/note\n" + kAnswer);

  REQUIRE(std::holds_alternative<Snapshot>(world.run().result));

  CHECK(world.note() == "/run/credentials/x");
}

}  // namespace vouch::agent
