// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>

#include "alerts/bodies.h"
#include "alerts/channel_spec.h"
#include "alerts/channels/curl_request.h"
#include "alerts/log_entries.h"
#include "alerts/mail.h"
#include "core/http/secret.h"
#include "core/unix_socket.h"

namespace vouch::alerts {
namespace {

constexpr std::string_view kAlertmanagerPath = "/api/v2/alerts";

// An address that is a secret, or leads nowhere else than the rule file allows.
Result<std::string> url_of(const ChannelSpec& spec) {
  if (spec.url_file.empty()) return spec.url;
  auto url = read_secret(spec.url_file);
  if (url && !is_usable_url(*url, "https", "http")) {
    return Error{Errc::invalid, spec.url_file + ": no https:// address"};
  }
  return url;
}

class WebChannel final : public Channel {
 public:
  explicit WebChannel(ChannelSpec spec) : spec_(std::move(spec)) {}

  Delivery deliver(const Alert& alert, WallMs now) override {
    auto url = url_of(spec_);
    if (!url) return Delivery::failed(url.error().message);
    HttpPost post;
    post.url = *std::move(url);
    post.ca_file = spec_.ca_file;
    post.timeout_s = spec_.timeout_s;
    post.headers = {"Content-Type: application/json"};
    if (auto filled = fill(post, alert, now); !filled) {
      return Delivery::failed(filled.error().message);
    }
    const auto reply = http_post(post);
    if (!reply) return Delivery::failed(reply.error().message);
    if (reply->status >= 200 && reply->status < 300) return Delivery::done();
    Delivery refused = Delivery::failed("answered " + std::to_string(reply->status));
    refused.retry_after_s = reply->retry_after_s;
    return refused;
  }

 private:
  Status fill(HttpPost& post, const Alert& alert, WallMs now) const {
    if (spec_.kind == ChannelKind::slack) {
      post.body = slack_body(alert, spec_);
    } else if (spec_.kind == ChannelKind::teams) {
      post.body = teams_body(alert, spec_);
    } else if (spec_.kind == ChannelKind::alertmanager) {
      while (post.url.ends_with('/')) post.url.pop_back();
      post.url += kAlertmanagerPath;
      post.body = alertmanager_body(alert, spec_);
    } else {
      post.body = webhook_body(alert, now);
    }
    if (!spec_.secret_file.empty()) {
      auto secret = read_secret(spec_.secret_file);
      if (!secret) return std::move(secret).error();
      post.headers.push_back("Vouch-Signature: " + webhook_signature(*secret, post.body));
    }
    if (spec_.token_file.empty()) return Ok{};
    auto token = read_secret(spec_.token_file);
    if (!token) return std::move(token).error();
    if (token->find_first_of("\r\n") != std::string::npos) {
      return Error{Errc::invalid, spec_.token_file + ": more than one line"};
    }
    post.headers.push_back("Authorization: Bearer " + *token);
    return Ok{};
  }

  ChannelSpec spec_;
};

class MailChannel final : public Channel {
 public:
  explicit MailChannel(ChannelSpec spec) : spec_(std::move(spec)) {}

  Delivery deliver(const Alert& alert, WallMs now) override {
    MailTransfer mail;
    mail.url = spec_.url;
    mail.ca_file = spec_.ca_file;
    mail.user = spec_.user;
    mail.from = spec_.from;
    mail.to = spec_.to;
    mail.tls = spec_.tls;
    mail.timeout_s = spec_.timeout_s;
    mail.message = mail_message(alert, spec_, now);
    if (!spec_.password_file.empty()) {
      auto password = read_secret(spec_.password_file);
      if (!password) return Delivery::failed(password.error().message);
      mail.password = *std::move(password);
    }
    const auto sent = send_mail(mail);
    return sent ? Delivery::done() : Delivery::failed(sent.error().message);
  }

 private:
  ChannelSpec spec_;
};

// A datagram socket of this host: it took each entry, or it did not.
class LogChannel final : public Channel {
 public:
  explicit LogChannel(ChannelSpec spec) : spec_(std::move(spec)) {}

  Delivery deliver(const Alert& alert, WallMs) override {
    const auto fd = connect_unix(spec_.socket, SOCK_DGRAM);
    if (!fd) return Delivery::failed(fd.error().message);
    const struct timeval timeout { spec_.timeout_s, 0 };
    setsockopt(fd->get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    const auto entries = spec_.kind == ChannelKind::journal ? journal_entries(alert, spec_)
                                                            : syslog_entries(alert, spec_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(spec_.timeout_s);
    for (const std::string& entry : entries) {
      if (std::chrono::steady_clock::now() > end) return Delivery::failed("no answer in time");
      if (::send(fd->get(), entry.data(), entry.size(), MSG_NOSIGNAL) < 0) {
        return Delivery::failed(errno == EAGAIN
                                    ? spec_.socket + ": nobody reads it"
                                    : errno_error("write to " + spec_.socket, errno).message);
      }
    }
    return Delivery::done();
  }

 private:
  ChannelSpec spec_;
};

}  // namespace

std::unique_ptr<Channel> make_channel(const ChannelSpec& spec) {
  switch (spec.kind) {
    case ChannelKind::smtp:
      return std::make_unique<MailChannel>(spec);
    case ChannelKind::journal:
    case ChannelKind::syslog:
      return std::make_unique<LogChannel>(spec);
    default:
      return std::make_unique<WebChannel>(spec);
  }
}

}  // namespace vouch::alerts
