// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/file.h"

namespace vouch::drift {
namespace {

// States of include/net/tcp_states.h. An unconnected UDP socket is "closed".
constexpr int kListen = 10;
constexpr int kClosed = 7;
constexpr std::size_t kListenersMax = 100'000;
constexpr std::size_t kReplyBytes = 64 << 10;

std::string address_text(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

Status send_request(int fd, int family, int protocol) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<std::uint8_t>(family);
  request.body.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  request.body.idiag_states = 1u << (protocol == IPPROTO_TCP ? kListen : kClosed);
  if (::send(fd, &request, sizeof request, 0) < 0) return errno_error("ask for sockets", errno);
  return Ok{};
}

std::uint64_t cgroup_of(const nlmsghdr* header) {
  constexpr std::size_t kBody = NLMSG_LENGTH(sizeof(inet_diag_msg));
  const char* at = reinterpret_cast<const char*>(header) + NLMSG_ALIGN(kBody);
  const char* end = reinterpret_cast<const char*>(header) + header->nlmsg_len;
  while (end - at >= static_cast<std::ptrdiff_t>(sizeof(nlattr))) {
    nlattr attribute;
    std::memcpy(&attribute, at, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || at + attribute.nla_len > end) break;
    if (attribute.nla_type == INET_DIAG_CGROUP_ID &&
        attribute.nla_len == sizeof attribute + sizeof(std::uint64_t)) {
      std::uint64_t id = 0;
      std::memcpy(&id, at + sizeof attribute, sizeof id);
      return id;
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  return 0;
}

// Takes the messages of one reply; true: that was the last of the dump.
Result<bool> take_reply(const char* bytes, std::size_t size, std::string_view protocol,
                        std::vector<Listener>& out) {
  while (size >= sizeof(nlmsghdr)) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(bytes);
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > size) break;
    if (header->nlmsg_type == NLMSG_DONE) return true;
    if (header->nlmsg_type == NLMSG_ERROR) {
      nlmsgerr failure = {};
      std::memcpy(&failure, bytes + NLMSG_HDRLEN, sizeof failure.error);
      return errno_error("ask for sockets", -failure.error);
    }
    if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(inet_diag_msg))) {
      inet_diag_msg message;
      std::memcpy(&message, bytes + NLMSG_HDRLEN, sizeof message);
      const bool is_ipv6 = message.idiag_family == AF_INET6;
      // An unconnected UDP socket without a port waits for nobody.
      if (message.id.idiag_sport != 0) {
        out.push_back({std::string(protocol), is_ipv6 ? "ipv6" : "ipv4",
                       address_text(message.idiag_family, message.id.idiag_src),
                       ntohs(message.id.idiag_sport), message.idiag_uid, cgroup_of(header)});
      }
      if (out.size() > kListenersMax) return Error{Errc::too_large, "more than 100,000 sockets"};
    }
    const std::size_t step = NLMSG_ALIGN(header->nlmsg_len);
    if (step >= size) break;
    bytes += step;
    size -= step;
  }
  return false;
}

std::string_view take_field(std::string_view& line, char separator) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const std::string_view field = line.substr(0, line.find(separator));
  line.remove_prefix(std::min(line.size(), field.size() + 1));
  return field;
}

template <typename Number>
bool parse_number(std::string_view text, int base, Number& out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// "0100007F": 32-bit words in the host's order, which is how the kernel prints them.
bool parse_address(std::string_view hex, bool is_ipv6, std::string& out) {
  std::array<std::uint32_t, 4> words{};
  const std::size_t count = is_ipv6 ? 4 : 1;
  if (hex.size() != count * 8) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!parse_number(hex.substr(i * 8, 8), 16, words[i])) return false;
  }
  out = address_text(is_ipv6 ? AF_INET6 : AF_INET, words.data());
  return true;
}

// sl local:port remote:port state queues timer retransmits uid …
bool parse_line(std::string_view line, Listener& out, int& state, bool is_ipv6) {
  take_field(line, ' ');
  if (!parse_address(take_field(line, ':'), is_ipv6, out.address)) return false;
  if (!parse_number(take_field(line, ' '), 16, out.port)) return false;
  take_field(line, ' ');
  if (!parse_number(take_field(line, ' '), 16, state)) return false;
  for (int skipped = 0; skipped < 3; ++skipped) take_field(line, ' ');
  return parse_number(take_field(line, ' '), 10, out.uid);
}

}  // namespace

Result<std::vector<Listener>> query_listeners() {
  const Fd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) return errno_error("open a sock_diag socket", errno);
  std::vector<Listener> listeners;
  alignas(nlmsghdr) std::array<char, kReplyBytes> reply;
  for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP}) {
    for (const int family : {AF_INET, AF_INET6}) {
      if (auto status = send_request(socket.get(), family, protocol); !status)
        return status.error();
      while (true) {
        const ssize_t count = ::recv(socket.get(), reply.data(), reply.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error("read sockets", errno);
        const auto done = take_reply(reply.data(), static_cast<std::size_t>(count),
                                     protocol == IPPROTO_TCP ? "tcp" : "udp", listeners);
        if (!done) return done.error();
        if (*done) break;
      }
    }
  }
  return listeners;
}

Result<std::vector<Listener>> parse_proc_net(std::string_view text, std::string_view protocol,
                                             bool is_ipv6) {
  std::vector<Listener> listeners;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (number == 1) continue;  // The names of the columns.
    Listener listener;
    int state = 0;
    if (!parse_line(line, listener, state, is_ipv6)) {
      return Error{Errc::invalid, fmt::format("line {}: is no socket", number)};
    }
    if (state != (protocol == "tcp" ? kListen : kClosed) || listener.port == 0) continue;
    listener.protocol = std::string(protocol);
    listener.family = is_ipv6 ? "ipv6" : "ipv4";
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

}  // namespace vouch::drift
