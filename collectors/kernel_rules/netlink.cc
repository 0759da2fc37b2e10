// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/file.h"

namespace vouch::kernel_rules {
namespace {

constexpr std::size_t kReplyBytes = 256 << 10;
constexpr std::size_t kMessagesMax = 1'000'000;
constexpr int kTimeoutSeconds = 5;

Status send_question(int fd, std::uint16_t type, std::uint16_t flags, std::string_view body) {
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(body.size()));
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = 1;
  std::string message(NLMSG_SPACE(body.size()), '\0');
  std::memcpy(message.data(), &header, sizeof header);
  std::copy(body.begin(), body.end(), message.begin() + NLMSG_HDRLEN);
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  const auto* address = reinterpret_cast<const sockaddr*>(&kernel);
  if (::sendto(fd, message.data(), message.size(), 0, address, sizeof kernel) < 0) {
    return errno_error("ask the kernel", errno);
  }
  return Ok{};
}

// Takes the messages of one datagram; true: that was the last.
Result<bool> take_datagram(std::string_view bytes, const TakeAnswer& take) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    // Audit's own answers have a length that leaves out the header on old kernels.
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) break;
    const std::string_view body = bytes.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
    if (header.nlmsg_type == NLMSG_DONE) return true;
    if (header.nlmsg_type == NLMSG_ERROR) {
      std::int32_t number = 0;
      if (body.size() >= sizeof number) std::memcpy(&number, body.data(), sizeof number);
      if (number != 0) return errno_error("ask the kernel", -number);
    } else if (auto status = take(header.nlmsg_type, body); !status) {
      return status.error();
    }
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), NLMSG_ALIGN(header.nlmsg_len)));
  }
  return false;
}

}  // namespace

Status ask_kernel(int protocol, std::uint16_t type, std::uint16_t flags, std::string_view body,
                  const TakeAnswer& take) {
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket) return errno_error("open a netlink socket", errno);
  const timeval timeout{kTimeoutSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (auto status = send_question(socket.get(), type, flags, body); !status) return status;
  std::string reply(kReplyBytes, '\0');
  bool is_acknowledged = false;
  for (std::size_t count = 0; count < kMessagesMax; ++count) {
    const ssize_t size = ::recv(socket.get(), reply.data(), reply.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return Error{Errc::timeout, "the kernel does not answer"};
    }
    if (size < 0) return errno_error("hear the kernel", errno);
    const std::string_view bytes(reply.data(), static_cast<std::size_t>(size));
    const auto done = take_datagram(bytes, [&](std::uint16_t each, std::string_view answer) {
      is_acknowledged = true;
      return take(each, answer);
    });
    if (!done) return done.error();
    const bool is_dump = (flags & NLM_F_DUMP) == NLM_F_DUMP || (flags & NLM_F_ACK) != 0;
    if (*done || (!is_dump && is_acknowledged)) return Ok{};
  }
  return Error{Errc::too_large, "the kernel does not stop answering"};
}

void each_attribute(std::string_view bytes,
                    const std::function<void(std::uint16_t, std::string_view)>& take) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > bytes.size()) return;
    take(attribute.nla_type & NLA_TYPE_MASK,
         bytes.substr(NLA_HDRLEN, static_cast<std::size_t>(attribute.nla_len - NLA_HDRLEN)));
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), NLA_ALIGN(attribute.nla_len)));
  }
}

}  // namespace vouch::kernel_rules
