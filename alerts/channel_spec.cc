// SPDX-License-Identifier: Apache-2.0
#include "alerts/channel_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alerts/template.h"
#include "core/journal.h"
#include "core/yaml_section.h"

namespace vouch::alerts {
namespace {

constexpr std::array<std::string_view, 7> kKinds{"webhook",      "slack",   "teams", "smtp",
                                                 "alertmanager", "journal", "syslog"};
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kRecipientsMax = 50;
constexpr std::string_view kUrlExpected =
    "an https:// address (http:// for a loopback address only)";
constexpr std::string_view kMailExpected = "smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT";

// host of scheme://host[:port][/…]; empty if the form is another.
std::string_view host_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  std::string_view rest = url.substr(begin + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.starts_with('[')) return rest.substr(0, rest.find(']') + 1);
  return rest.substr(0, rest.find(':'));
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// user@host, of the characters that need no quoting: it goes into headers.
bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  const bool parts = at != std::string_view::npos && at > 0 && at + 1 < text.size();
  return parts && text.size() <= 254 && text.find('@', at + 1) == std::string_view::npos &&
         is_printable_ascii(text) && text.find_first_of("<>()[]\\,;:\"") == std::string_view::npos;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 256 && is_printable_ascii(text);
}

// A path, or the name of a credential.
bool is_secret_file(std::string_view text) {
  if (text.empty() || text.size() > 4096 || !is_printable_ascii(text)) return false;
  return text[0] == '/' || (text.find('/') == std::string_view::npos && text[0] != '.');
}

void read_files(YamlSection& section,
                const std::vector<std::pair<std::string_view, std::string*>>& files) {
  for (const auto& [key, out] : files) {
    section.text(key, *out, is_secret_file, "an absolute path, or the name of a credential");
  }
}

void read_http(YamlSection& section, ChannelSpec& spec) {
  section.text(
      "url", spec.url, [](std::string_view url) { return is_usable_url(url, "https", "http"); },
      kUrlExpected);
  if (spec.kind == ChannelKind::alertmanager) {
    read_files(section, {{"token_file", &spec.token_file}});
  } else {
    read_files(section, {{"url_file", &spec.url_file}});
  }
  if (spec.kind == ChannelKind::webhook) read_files(section, {{"secret_file", &spec.secret_file}});
  section.path("ca_file", spec.ca_file);
}

void read_mail(YamlSection& section, ChannelSpec& spec) {
  section.text(
      "url", spec.url, [](std::string_view url) { return is_usable_url(url, "smtps", "smtp"); },
      kMailExpected);
  section.text("user", spec.user, is_word, "a name without spaces");
  read_files(section, {{"password_file", &spec.password_file}});
  section.text("from", spec.from, is_mail_address, "an address such as vouch@example.com");
  section.texts("to", spec.to, kRecipientsMax, is_mail_address, "mail addresses");
  section.path("ca_file", spec.ca_file);
  std::string tls = "required";
  section.text(
      "tls", tls, [](std::string_view text) { return text == "required" || text == "none"; },
      "required or none");
  spec.tls = tls == "required";
}

void read_template(YamlSection& section, std::string_view key, TemplateKind kind,
                   std::string& out) {
  const yaml::Node* node = section.take(key);
  if (node == nullptr) return;
  const auto parsed = Template::parse(node->scalar, kind);
  if (node->kind != yaml::Node::Kind::scalar) {
    section.fail(*node, fmt::format("{}: expected a text", key));
  } else if (!parsed) {
    section.fail(*node, fmt::format("{}: {}", key, parsed.error().message));
  }
  out = node->scalar;
}

// What a kind cannot do without.
void require(YamlSection& section, const yaml::Node& node, const ChannelSpec& spec) {
  const bool is_log = spec.kind == ChannelKind::journal || spec.kind == ChannelKind::syslog;
  if (!is_log && spec.url.empty() == spec.url_file.empty()) {
    section.fail(node,
                 spec.url.empty() ? "a channel needs a url" : "either url or url_file, not both");
  }
  if (spec.kind != ChannelKind::smtp) return;
  if (spec.from.empty() || spec.to.empty()) section.fail(node, "smtp needs `from` and `to`");
  if (spec.user.empty() != spec.password_file.empty()) {
    section.fail(node, "user and password_file go together");
  }
  if (!spec.tls && !is_loopback_url(spec.url)) {
    section.fail(node, "tls: none is for a loopback address only");
  }
}

}  // namespace

std::string_view to_string(ChannelKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

bool is_loopback_url(std::string_view url) {
  const auto host = host_of(url);
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

bool is_usable_url(std::string_view url, std::string_view scheme, std::string_view plain) {
  if (url.size() > kUrlBytesMax || !is_printable_ascii(url)) return false;
  const auto host = host_of(url);
  if (host.empty() || url.find_first_of("@\\\"<>") != std::string_view::npos) return false;
  const std::string_view is = url.substr(0, url.find("://"));
  if (is == scheme) return true;
  // Mail begins in the clear and must then turn to TLS; the web does not.
  return is == plain && (plain == "smtp" || is_loopback_url(url));
}

Result<ChannelSpec> read_channel(const std::string& name, const yaml::Node& node,
                                 std::string_view file_name) {
  ChannelSpec spec;
  spec.name = name;
  YamlSection section(node, file_name, "a channel");
  std::string kind;
  section.text(
      "kind", kind,
      [](std::string_view text) {
        return std::find(kKinds.begin(), kKinds.end(), text) != kKinds.end();
      },
      fmt::format("one of {}", fmt::join(kKinds, ", ")));
  if (kind.empty()) section.fail(node, fmt::format("channel {} needs a kind", name));
  const auto found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found != kKinds.end()) spec.kind = static_cast<ChannelKind>(found - kKinds.begin());

  switch (spec.kind) {
    case ChannelKind::smtp:
      read_mail(section, spec);
      break;
    case ChannelKind::journal:
      spec.socket = journal::kSocket;
      section.path("socket", spec.socket);
      break;
    case ChannelKind::syslog:
      spec.socket = "/dev/log";
      section.path("socket", spec.socket);
      break;
    default:
      read_http(section, spec);
  }
  read_template(section, "subject", TemplateKind::subject, spec.subject);
  read_template(section, "text", TemplateKind::condition, spec.text);
  section.number("timeout", spec.timeout_s, parse_duration, 1, 60);
  require(section, node, spec);
  if (auto status = section.finish(); !status) return std::move(status).error();
  return spec;
}

}  // namespace vouch::alerts
