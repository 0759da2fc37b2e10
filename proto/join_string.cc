// SPDX-License-Identifier: Apache-2.0
#include "proto/join_string.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"

namespace vouch {
namespace {

constexpr std::string_view kScheme = "vouch://";
constexpr std::size_t kTokenIdBytes = 8;
constexpr std::size_t kPartBytes = 32;
constexpr std::size_t kPartChars = 43;
constexpr std::size_t kPortDigitsMax = 5;

// Never shows what was given: it holds a secret.
Error refuse(std::string_view what) {
  return {Errc::invalid, fmt::format("no join string: {} (expected "
                                     "vouch://HOST[:PORT]/#TOKEN.PIN[.TLS])",
                                     what)};
}

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kNameChars =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
constexpr std::string_view kAddressChars = "0123456789ABCDEFabcdef:.";

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') &&
           all_of(host.substr(1, host.size() - 2), kAddressChars);
  }
  return !host.empty() && all_of(host, kNameChars);
}

// HOST[:PORT]
bool parse_authority(std::string_view text, JoinString& join) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > kPortDigitsMax) return false;
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return false;
    if (port == 0 || port > 65535) return false;
    join.port = static_cast<std::uint16_t>(port);
  }
  join.host = text.substr(0, colon);
  return is_host(join.host);
}

std::optional<std::string> parse_part(std::string_view text) {
  if (text.size() != kPartChars) return std::nullopt;
  auto bytes = base64url_decode(text);
  if (!bytes || bytes->size() != kPartBytes) return std::nullopt;
  return *std::move(bytes);
}

}  // namespace

JoinString::~JoinString() {
  if (!token_secret.empty()) explicit_bzero(token_secret.data(), token_secret.size());
}

std::string JoinString::url() const {
  return fmt::format("https://{}:{}", host, port);
}

Result<JoinString> parse_join_string(std::string_view text) {
  if (text.size() > kJoinStringBytesMax) return refuse("too long");
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with(kScheme)) return refuse("it does not start with vouch://");
  text.remove_prefix(kScheme.size());
  const auto slash = text.find("/#");
  if (slash == std::string_view::npos) return refuse("no \"/#\" after the host");

  JoinString join;
  if (!parse_authority(text.substr(0, slash), join)) return refuse("bad host or port");
  auto rest = text.substr(slash + 2);
  auto token = parse_part(rest.substr(0, kPartChars));
  if (!token) return refuse("bad token");
  join.token_id = token->substr(0, kTokenIdBytes);
  join.token_secret = token->substr(kTokenIdBytes);
  explicit_bzero(token->data(), token->size());
  rest.remove_prefix(kPartChars);

  if (!rest.starts_with('.')) return refuse("no pin");
  auto pin = parse_part(rest.substr(1, kPartChars));
  if (!pin) return refuse("bad pin");
  join.pin = *std::move(pin);
  rest.remove_prefix(1 + kPartChars);
  if (rest.empty()) return join;

  if (!rest.starts_with('.')) return refuse("bytes after the pin");
  auto tls = parse_part(rest.substr(1));
  if (!tls) return refuse("bad TLS pin");
  join.tls = *std::move(tls);
  return join;
}

std::string write_join_string(const JoinString& join) {
  auto text =
      fmt::format("{}{}:{}/#{}.{}", kScheme, join.host, join.port,
                  base64url_encode(join.token_id + join.token_secret), base64url_encode(join.pin));
  if (!join.tls.empty()) text += "." + base64url_encode(join.tls);
  return text;
}

}  // namespace vouch
