// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/socket_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "agent/collect/launch.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;
// systemd starts the service first; on a host under load that takes a while.
constexpr std::chrono::seconds kHelloDeadline{30};
// vouch-collect keeps the collector's deadline; this is for one that keeps none.
constexpr std::chrono::seconds kOverdue{15};

struct OutputPipe {
  Fd read;
  Fd write;
};

Result<OutputPipe> make_output() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe", errno);
  OutputPipe output{Fd(ends[0]), Fd(ends[1])};
  // Ours alone: the collector's end stays a plain one.
  if (::fcntl(output.read.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("fcntl", errno);
  return output;
}

// Gives `sink` what is there; true at the end of what comes. Stops when `sink` wants no more.
bool drain(const Fd& output, const OutputSink& sink, bool& wanted, bool everything) {
  std::array<char, kReadBytes> buffer;
  do {
    const ssize_t got = ::read(output.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) return true;
    wanted = sink({buffer.data(), static_cast<std::size_t>(got)});
  } while (wanted && everything);
  return false;
}

}  // namespace

SocketRunner::SocketRunner(const Clock& clock, std::string socket_dir)
    : CheckedRunner(clock),
      socket_dir_(std::move(socket_dir)),
      cancel_event_(eventfd(0, EFD_CLOEXEC)) {}

void SocketRunner::cancel() {
  const std::uint64_t one = 1;
  // Fails only if the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(cancel_event_.get(), &one, sizeof one);
}

Result<CheckedRunner::Grants> SocketRunner::grants(const std::string& collector) {
  const std::string path = socket_dir_ + "/" + collector + ".sock";
  auto connection = connect_unix(path, SOCK_SEQPACKET);
  if (!connection) {
    Error error = std::move(connection).error();
    error.message += " (systemctl enable --now 'vouch-collect@" + collector +
                     ".socket'; with the network: 'vouch-collect-net@" + collector + ".socket')";
    return error;
  }
  auto message = receive_message(connection->get(), kHelloDeadline);
  if (!message) return std::move(message).error().in(path);
  auto hello = parse_hello(message->text);
  if (!hello) return std::move(hello).error().in(path);
  connection_ = *std::move(connection);
  return Grants{hello->capabilities, hello->cache_root};
}

// Reads until the supervisor says how the collector ended. Closing the connection, which the caller
// does, ends one that has not.
Result<Exit> SocketRunner::follow(const Fd& connection, const Fd& output,
                                  std::chrono::milliseconds patience, const OutputSink& sink) {
  const auto ended = [](Exit::How how) {
    Exit exit;
    exit.how = how;
    exit.code = SIGKILL;
    return exit;
  };
  const auto end = std::chrono::steady_clock::now() + patience;
  bool wanted = true;
  bool open = true;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (!wanted) return ended(Exit::How::cancelled);
    if (left.count() <= 0) return ended(Exit::How::deadline);
    std::array<struct pollfd, 3> polled{{{connection.get(), POLLIN, 0},
                                         {open ? output.get() : -1, POLLIN, 0},
                                         {cancel_event_.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0) continue;
    if (polled[2].revents != 0) return ended(Exit::How::cancelled);
    if (polled[1].revents != 0) open = !drain(output, sink, wanted, false);
    if (polled[0].revents == 0) continue;
    auto message = receive_message(connection.get(), left);
    // The supervisor died, and the collector with it: what there is of the answer is cut short.
    if (!message) return ended(Exit::How::signalled);
    auto reply = parse_reply(message->text);
    if (!reply) return std::move(reply).error();
    if (auto* error = std::get_if<Error>(&*reply)) return std::move(*error);
    if (open && wanted) drain(output, sink, wanted, true);
    return std::get<Exit>(*std::move(reply));
  }
}

Result<Exit> SocketRunner::start(const Start& start, const OutputSink& sink) {
  const Fd connection = std::move(connection_);
  auto input = memory_file(start.input);
  if (!input) return std::move(input).error();
  auto output = make_output();
  if (!output) return std::move(output).error();
  LaunchRequest request;
  request.program = start.program;
  request.file = start.file.text();
  if (start.describe) request.mode = LaunchRequest::Mode::describe;
  request.deadline_ms = start.deadline.count();
  auto sent =
      send_message(connection.get(), write_launch(request), input->get(), output->write.get());
  if (!sent) return std::move(sent).error();
  output->write.reset();  // The collector's copy is the last: its end is the end of the file.

  return follow(connection, output->read, start.deadline + kOverdue, sink);
}

}  // namespace vouch::agent
