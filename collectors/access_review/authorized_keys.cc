// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/authorized_keys.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/digest.h"
#include "core/encoding.h"

namespace vouch::access {
namespace {

// The algorithms of sshd 9 and the DSA that older ones take. A key of any other kind lets nobody
// in.
constexpr std::array<std::string_view, 8> kAlgorithms{"ssh-rsa",
                                                      "ssh-dss",
                                                      "ssh-ed25519",
                                                      "ecdsa-sha2-nistp256",
                                                      "ecdsa-sha2-nistp384",
                                                      "ecdsa-sha2-nistp521",
                                                      "sk-ecdsa-sha2-nistp256@openssh.com",
                                                      "sk-ssh-ed25519@openssh.com"};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view skip_blanks(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest = skip_blanks(rest.substr(word.size()));
  return word;
}

// One length-prefixed string of RFC 4251.
std::optional<std::string_view> take_string(std::string_view& blob) {
  if (blob.size() < 4) return {};
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i) {
    length = length << 8 | static_cast<unsigned char>(blob[static_cast<std::size_t>(i)]);
  }
  if (blob.size() - 4 < length) return {};
  const std::string_view value = blob.substr(4, length);
  blob.remove_prefix(4 + std::size_t{length});
  return value;
}

std::optional<int> integer_bits(std::string_view number) {
  while (!number.empty() && number[0] == '\0') number.remove_prefix(1);
  if (number.empty()) return {};
  const auto top = static_cast<unsigned char>(number[0]);
  return static_cast<int>(number.size() - 1) * 8 + std::bit_width(top);
}

// Reads "algorithm base64 comment" into `key`; false if `rest` does not start with a key.
bool read_key(std::string_view rest, AuthorizedKey& key) {
  const std::string_view algorithm = take_word(rest);
  if (std::find(kAlgorithms.begin(), kAlgorithms.end(), algorithm) == kAlgorithms.end())
    return false;
  const auto blob = base64_decode(take_word(rest));
  if (!blob) return false;
  std::string_view fields = *blob;
  if (take_string(fields) != algorithm) return false;
  std::optional<std::string_view> number = take_string(fields);
  if (!number) return false;
  if (algorithm == "ssh-rsa") number = take_string(fields);  // After the exponent.
  if (!number) return false;
  if (algorithm == "ssh-rsa" || algorithm == "ssh-dss") {
    key.bits = integer_bits(*number);
    if (!key.bits) return false;
  }
  key.algorithm = std::string(algorithm);
  std::string digest = base64_encode(sha256(*blob));
  digest.erase(digest.find_last_not_of('=') + 1);
  key.fingerprint = "SHA256:" + digest;
  key.comment = std::string(rest.substr(0, rest.find_last_not_of(" \t") + 1));
  return true;
}

// The end of the options: the first blank outside quotes.
std::size_t options_length(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '"') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && is_blank(line[i])) {
      return i;
    }
  }
  return line.size();
}

// Option names are case-insensitive; a value never starts at the front of an item.
bool has_option(std::string_view options, std::string_view name) {
  bool quoted = false;
  std::string item;
  for (std::size_t i = 0; i <= options.size(); ++i) {
    const char c = i < options.size() ? options[i] : ',';
    if (c == '\\' && i + 1 < options.size() && options[i + 1] == '"') {
      item += options.substr(i, 2);
      ++i;
    } else if (c == ',' && (!quoted || i == options.size())) {
      if (item == name) return true;
      item.clear();
    } else {
      if (c == '"') quoted = !quoted;
      item += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return false;
}

}  // namespace

Parsed<AuthorizedKey> parse_authorized_keys(std::string_view text) {
  Parsed<AuthorizedKey> parsed;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = skip_blanks(line);
    if (line.empty() || line[0] == '#') continue;

    AuthorizedKey key;
    if (!read_key(line, key)) {
      const std::size_t length = options_length(line);
      key.options = std::string(line.substr(0, length));
      if (!read_key(skip_blanks(line.substr(length)), key)) {
        parsed.faults.push_back({number, "is no public key that sshd accepts"});
        continue;
      }
    }
    key.certificate_authority = has_option(key.options, "cert-authority");
    parsed.entries.push_back(std::move(key));
  }
  return parsed;
}

std::optional<std::string> expand_key_path(std::string_view pattern, const PasswdEntry& user) {
  if (pattern == "none") return {};
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      path += pattern[i];
      continue;
    }
    if (++i == pattern.size()) return {};
    switch (pattern[i]) {
      case '%':
        path += '%';
        break;
      case 'h':
        path += user.directory;
        break;
      case 'u':
        path += user.name;
        break;
      case 'U':
        path += std::to_string(user.uid);
        break;
      default:
        return {};
    }
  }
  if (!path.starts_with('/')) path = user.directory + "/" + path;
  return path;
}

}  // namespace vouch::access
