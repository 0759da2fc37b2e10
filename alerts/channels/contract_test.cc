// SPDX-License-Identifier: Apache-2.0
// The contract of channel.h, for every kind of channel and every manner of the other side.
#include <stdlib.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

#include "alerts/bodies.h"
#include "alerts/channels/channel.h"
#include "alerts/channels/counterpart_test.h"
#include "alerts/wording_test.h"
#include "core/http/secret.h"

namespace vouch::alerts {
namespace {

constexpr const char* kSecret = "open-sesame-4711";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "vouch-channel-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text, int mode = 0600) const {
    std::ofstream(path + "/" + name) << text;
    std::filesystem::permissions(path + "/" + name, static_cast<std::filesystem::perms>(mode));
    return path + "/" + name;
  }
  std::string path;
};

ChannelSpec web_spec(ChannelKind kind, const std::string& url) {
  ChannelSpec spec;
  spec.name = "ops";
  spec.kind = kind;
  spec.url = url;
  spec.timeout_s = 1;
  return spec;
}

ChannelSpec mail_spec(const std::string& url) {
  ChannelSpec spec = web_spec(ChannelKind::smtp, url);
  spec.from = "vouch@example.com";
  spec.to = {"ops@example.com"};
  spec.tls = false;  // The loopback; TLS is in tests/e2e.
  return spec;
}

// A spec that leads to the counterpart, for each kind that speaks over TCP.
struct Kind {
  std::string name;
  Counterpart::Speaks speaks;
  std::function<ChannelSpec(const std::string& http, const std::string& smtp)> spec;
};

std::vector<Kind> kinds_over_tcp(const Folder& folder) {
  const auto secret = folder.write("secret", std::string(kSecret) + "\n");
  const auto web = [](ChannelKind kind) {
    return [kind](const std::string& http, const std::string&) { return web_spec(kind, http); };
  };
  return {{"webhook", Counterpart::Speaks::http,
           [secret](const std::string& http, const std::string&) {
             auto spec = web_spec(ChannelKind::webhook, http);
             spec.secret_file = secret;
             return spec;
           }},
          {"slack", Counterpart::Speaks::http, web(ChannelKind::slack)},
          {"teams", Counterpart::Speaks::http, web(ChannelKind::teams)},
          {"alertmanager", Counterpart::Speaks::http,
           [secret](const std::string& http, const std::string&) {
             auto spec = web_spec(ChannelKind::alertmanager, http);
             spec.token_file = secret;
             return spec;
           }},
          {"smtp", Counterpart::Speaks::smtp,
           [](const std::string&, const std::string& smtp) { return mail_spec(smtp); }}};
}

Delivery timed(Channel& channel, const Alert& alert) {
  const auto begun = std::chrono::steady_clock::now();
  auto delivery = channel.deliver(alert, 1'790'000'000'391);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(4));
  CHECK(delivery.delivered == delivery.message.empty());
  CHECK(delivery.message.find(kSecret) == std::string::npos);
  return delivery;
}

Delivery deliver_to(const Kind& kind, Manner manner, const Alert& alert,
                    std::string* received = nullptr) {
  const Counterpart counterpart(kind.speaks, manner);
  const auto channel =
      make_channel(kind.spec(counterpart.address("http"), counterpart.address("smtp")));
  auto delivery = timed(*channel, alert);
  if (received != nullptr) *received = counterpart.received();
  return delivery;
}

// A datagram socket in a folder.
class LogSocket {
 public:
  explicit LogSocket(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0);
  }
  std::string read() const {
    std::string buffer(65536, '\0');
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return buffer;
  }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("what the other side takes is delivered, each type of alert by each kind", "[channels]") {
  const Folder folder;
  for (const Kind& kind : kinds_over_tcp(folder)) {
    CAPTURE(kind.name);
    for (const Alert& alert : {sample_alert(), sample_digest(), sample_test()}) {
      std::string received;
      const auto delivery = deliver_to(kind, Manner::accepts, alert, &received);
      CHECK(delivery.message.empty());
      CHECK(delivery.delivered);
      CHECK_FALSE(received.empty());
    }
  }
}

TEST_CASE("what it refuses is not, and it may say when to try again", "[channels]") {
  const Folder folder;
  for (const Kind& kind : kinds_over_tcp(folder)) {
    CAPTURE(kind.name);
    const auto delivery = deliver_to(kind, Manner::refuses, sample_alert());
    CHECK_FALSE(delivery.delivered);
    if (kind.speaks == Counterpart::Speaks::smtp) {
      CHECK(delivery.message.find("550") != std::string::npos);
      continue;
    }
    CHECK(delivery.message == "answered 429");
    CHECK(delivery.retry_after_s == 7);
  }
}

TEST_CASE("one that hangs, or breaks off, costs no more than the timeout", "[channels]") {
  const Folder folder;
  for (const Kind& kind : kinds_over_tcp(folder)) {
    CAPTURE(kind.name);
    CHECK(deliver_to(kind, Manner::hangs, sample_alert()).message == "no answer in time");
    CHECK_FALSE(deliver_to(kind, Manner::breaks_off, sample_alert()).delivered);
  }
}

TEST_CASE("where nobody listens nothing is delivered", "[channels]") {
  const Folder folder;
  for (const Kind& kind : kinds_over_tcp(folder)) {
    CAPTURE(kind.name);
    const auto channel = make_channel(kind.spec("http://127.0.0.1:1", "smtp://127.0.0.1:1"));
    CHECK_FALSE(timed(*channel, sample_alert()).delivered);
  }
}

TEST_CASE("a webhook is signed by the secret, and Alertmanager gets its token", "[channels]") {
  const Folder folder;
  const auto kinds = kinds_over_tcp(folder);
  std::string received;
  deliver_to(kinds[0], Manner::accepts, sample_alert(), &received);
  const auto body = received.substr(received.find("\r\n\r\n") + 4);
  CHECK(received.find("\r\nVouch-Signature: " + webhook_signature(kSecret, body) + "\r\n") !=
        std::string::npos);
  CHECK(received.find("Expect") == std::string::npos);

  deliver_to(kinds[3], Manner::accepts, sample_alert(), &received);
  CHECK(received.starts_with("POST /api/v2/alerts HTTP/1.1\r\n"));
  CHECK(received.find("\r\nAuthorization: Bearer " + std::string(kSecret) + "\r\n") !=
        std::string::npos);
}

TEST_CASE("an address from a file is used, checked and never shown", "[channels]") {
  const Folder folder;
  const Counterpart counterpart(Counterpart::Speaks::http, Manner::refuses);
  ChannelSpec spec = web_spec(ChannelKind::slack, "");
  spec.url_file = folder.write("url", counterpart.address("http") + "/" + kSecret + "\n");
  const auto channel = make_channel(spec);

  CHECK(timed(*channel, sample_alert()).message == "answered 429");
  CHECK(counterpart.received().starts_with(std::string("POST /") + kSecret));
  folder.write("url", std::string("http://h.example.com/") + kSecret);
  CHECK(timed(*channel, sample_alert()).message == spec.url_file + ": no https:// address");
}

TEST_CASE("entries of the host's log arrive one for each condition", "[channels]") {
  const Folder folder;
  ChannelSpec spec;
  spec.timeout_s = 1;
  Alert alert = sample_alert();
  alert.conditions.push_back(alert.conditions[0]);
  for (const auto kind : {ChannelKind::journal, ChannelKind::syslog}) {
    spec.kind = kind;
    spec.socket = folder.path + "/" + std::string(to_string(kind));
    const auto channel = make_channel(spec);
    CHECK_FALSE(timed(*channel, alert).delivered);  // Nobody listens.
    const LogSocket socket(spec.socket);

    CHECK(timed(*channel, alert).delivered);
    CHECK(socket.read().find("17") != std::string::npos);
    CHECK_FALSE(socket.read().empty());
    CHECK(socket.read().empty());

    bool full = false;
    for (int i = 0; i < 2000 && !full; ++i) full = !timed(*channel, alert).delivered;
    CHECK(full);  // Nobody reads.
  }
}

TEST_CASE("a secret that others could read or write is not used", "[channels]") {
  const Folder folder;
  CHECK(read_secret(folder.write("good", " abc\n")).value() == "abc");
  CHECK(read_secret(folder.write("group", "abc", 0640)).value() == "abc");
  for (const int mode : {0644, 0660, 0604, 0602}) {
    CAPTURE(mode);
    const auto path = folder.write("m" + std::to_string(mode), "abc", mode);
    const auto read = read_secret(path);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::denied);
  }
  CHECK(read_secret(folder.path + "/none").error().code == Errc::not_found);
  CHECK(read_secret(folder.write("empty", " \n")).error().code == Errc::invalid);
  CHECK(read_secret(folder.path).error().code == Errc::invalid);
  CHECK_FALSE(read_secret(folder.write("large", std::string(5000, 'x'))));
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(read_secret("good").error().code == Errc::not_found);
  setenv("CREDENTIALS_DIRECTORY", folder.path.c_str(), 1);
  CHECK(read_secret("good").value() == "abc");
}

}  // namespace vouch::alerts
