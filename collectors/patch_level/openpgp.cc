// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/openpgp.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "core/legacy_digest.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kPacketsMax = 100000;
constexpr int kTagSignature = 2, kTagSecretKey = 5, kTagKey = 6, kTagSecretSubkey = 7,
              kTagUserId = 13, kTagSubkey = 14;

Error damaged(std::string_view what) {
  return {Errc::invalid, "no OpenPGP keyring: " + std::string(what)};
}

std::string upper_hex(std::string_view bytes) {
  std::string text;
  for (const char c : hex_encode(bytes)) {
    text += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Cuts `count` bytes off the front; nothing if there are fewer.
std::optional<std::string_view> cut(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count) return std::nullopt;
  const auto piece = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return piece;
}

// The length of a new-format packet or a subpacket: 1, 2 or 5 octets. Partial lengths are for data,
// never for keys.
std::optional<std::size_t> cut_length(std::string_view& bytes, bool is_subpacket) {
  const auto first = cut(bytes, 1);
  if (!first) return std::nullopt;
  const std::size_t value = number(*first);
  if (value < 192) return value;
  if (value == 255) {
    const auto rest = cut(bytes, 4);
    if (!rest) return std::nullopt;
    return number(*rest);
  }
  if (value >= 224 && !is_subpacket) return std::nullopt;
  const auto second = cut(bytes, 1);
  if (!second) return std::nullopt;
  return ((value - 192) << 8) + number(*second) + 192;
}

struct Packet {
  int tag = 0;
  std::string_view body;
};

std::optional<Packet> cut_packet(std::string_view& bytes) {
  const auto head = cut(bytes, 1);
  if (!head) return std::nullopt;
  const auto octet = number(*head);
  if ((octet & 0x80U) == 0) return std::nullopt;
  Packet packet;
  std::optional<std::size_t> length;
  if ((octet & 0x40U) != 0) {
    packet.tag = static_cast<int>(octet & 0x3fU);
    length = cut_length(bytes, false);
  } else {
    packet.tag = static_cast<int>(octet >> 2 & 0xfU);
    const std::size_t octets = std::size_t{1} << (octet & 3U);
    if (octets > 4) return std::nullopt;  // Indeterminate: not for keys.
    if (const auto text = cut(bytes, octets)) length = number(*text);
  }
  const auto body = length ? cut(bytes, *length) : std::nullopt;
  if (!body) return std::nullopt;
  packet.body = *body;
  return packet;
}

std::string_view algorithm_name(std::uint32_t algorithm) {
  switch (algorithm) {
    case 1:
    case 2:
    case 3:
      return "rsa";
    case 16:
      return "elgamal";
    case 17:
      return "dsa";
    case 18:
      return "ecdh";
    case 19:
      return "ecdsa";
    case 22:
      return "eddsa";
    case 27:
      return "ed25519";
    default:
      return "other";
  }
}

// Version 4: version, time of creation, algorithm, numbers.
Result<OpenpgpKey> parse_key(const Packet& packet) {
  constexpr std::size_t kHeadBytes = 6;
  std::string_view body = packet.body;
  const auto head = cut(body, kHeadBytes);
  if (!head) return damaged("a key that is cut off");
  const auto version = number(head->substr(0, 1));
  if (version != 4) {
    return Error{Errc::unsupported, "a key of version " + std::to_string(version) + ": not read"};
  }
  OpenpgpKey key;
  key.is_primary = packet.tag == kTagKey;
  key.created = number(head->substr(1, 4));
  key.algorithm = algorithm_name(number(head->substr(5, 1)));
  const bool has_size =
      key.algorithm == "rsa" || key.algorithm == "dsa" || key.algorithm == "elgamal";
  if (has_size) {
    const auto bits = cut(body, 2);
    if (!bits) return damaged("a key that is cut off");
    key.bits = number(*bits);
  }
  std::string hashed = "\x99";
  hashed += static_cast<char>(packet.body.size() >> 8 & 0xffU);
  hashed += static_cast<char>(packet.body.size() & 0xffU);
  hashed += packet.body;
  key.fingerprint = upper_hex(sha1(hashed));
  return key;
}

struct Signature {
  std::uint32_t type = 0;
  WallSeconds created = 0;
  std::optional<std::uint32_t> key_lifetime;
  std::string issuer;  // Key id in upper-case hex; empty: not said.
};

// False: the area is damaged.
bool read_subpackets(std::string_view area, bool is_hashed, Signature& signature) {
  constexpr std::uint32_t kCreated = 2, kKeyLifetime = 9, kIssuer = 16, kIssuerFingerprint = 33;
  while (!area.empty()) {
    const auto length = cut_length(area, true);
    const auto body = length && *length > 0 ? cut(area, *length) : std::nullopt;
    if (!body) return false;
    const std::uint32_t type = number(body->substr(0, 1)) & 0x7fU;
    const auto value = body->substr(1);
    // What is not hashed is not signed: anybody may have put it there.
    if (is_hashed && type == kCreated && value.size() == 4) signature.created = number(value);
    if (is_hashed && type == kKeyLifetime && value.size() == 4)
      signature.key_lifetime = number(value);
    if (type == kIssuer && value.size() == 8) signature.issuer = upper_hex(value);
    if (type == kIssuerFingerprint && value.size() == 21)
      signature.issuer = upper_hex(value.substr(13));
  }
  return true;
}

// Nothing for signatures of another version: they say nothing of a key of version 4.
Result<std::optional<Signature>> parse_signature(std::string_view body) {
  const auto head = cut(body, 4);
  if (!head) return damaged("a signature that is cut off");
  if (number(head->substr(0, 1)) != 4) return std::optional<Signature>();
  Signature signature;
  signature.type = number(head->substr(1, 1));
  for (const bool is_hashed : {true, false}) {
    const auto length = cut(body, 2);
    const auto area = length ? cut(body, number(*length)) : std::nullopt;
    if (!area || !read_subpackets(*area, is_hashed, signature))
      return damaged("a signature that is cut off");
  }
  return std::optional<Signature>(std::move(signature));
}

// Applies signatures to the key that they follow.
class Reader {
 public:
  std::vector<OpenpgpKey> keys;

  Status take(const Packet& packet) {
    if (packet.tag == kTagSecretKey || packet.tag == kTagSecretSubkey)
      return damaged("it holds a private key");
    if (packet.tag == kTagKey || packet.tag == kTagSubkey) return take_key(packet);
    if (packet.tag == kTagUserId && primary_ < keys.size() && keys[primary_].user_id.empty())
      keys[primary_].user_id = packet.body;
    if (packet.tag == kTagSignature) return take_signature(packet.body);
    return Ok{};
  }

 private:
  Status take_key(const Packet& packet) {
    auto key = parse_key(packet);
    if (!key) return std::move(key).error();
    if (!key->is_primary && keys.empty()) return damaged("a subkey without its key");
    if (key->is_primary) primary_ = keys.size();
    newest_ = newest_direct_ = -1;
    has_direct_end_ = false;
    keys.push_back(*std::move(key));
    return Ok{};
  }

  Status take_signature(std::string_view body) {
    auto parsed = parse_signature(body);
    if (!parsed) return std::move(parsed).error();
    if (!*parsed || keys.empty()) return Ok{};
    const Signature& signature = **parsed;
    OpenpgpKey& key = keys.back();
    const std::string& fingerprint = keys[primary_].fingerprint;
    // Signatures of others, and of a designated revoker, do not count.
    if (!signature.issuer.empty() && !fingerprint.ends_with(signature.issuer)) return Ok{};
    constexpr std::uint32_t kKeyRevocation = 0x20, kSubkeyRevocation = 0x28, kSubkeyBinding = 0x18,
                            kDirect = 0x1f, kCertificationFirst = 0x10, kCertificationLast = 0x13;
    if (signature.type == (key.is_primary ? kKeyRevocation : kSubkeyRevocation))
      key.is_revoked = true;
    if (!key.is_primary) {
      if (signature.type == kSubkeyBinding) end_by(signature, newest_, key);
    } else if (signature.type == kDirect) {
      // A lifetime in the newest signature on the key itself goes before those on its names.
      if (signature.created < newest_direct_) return Ok{};
      newest_direct_ = signature.created;
      has_direct_end_ = signature.key_lifetime.has_value();
      if (has_direct_end_) set_end(signature, key);
    } else if (signature.type >= kCertificationFirst && signature.type <= kCertificationLast) {
      if (!has_direct_end_) end_by(signature, newest_, key);
    }
    return Ok{};
  }

  static void set_end(const Signature& signature, OpenpgpKey& key) {
    key.expires.reset();
    if (signature.key_lifetime && *signature.key_lifetime != 0)
      key.expires = key.created + *signature.key_lifetime;
  }

  static void end_by(const Signature& signature, WallSeconds& newest, OpenpgpKey& key) {
    if (signature.created < newest) return;
    newest = signature.created;
    set_end(signature, key);
  }

  std::size_t primary_ = 0;
  WallSeconds newest_ = -1;
  WallSeconds newest_direct_ = -1;
  bool has_direct_end_ = false;
};

// The bytes of all armoured blocks of public keys.
Result<std::string> dearmour(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
  constexpr std::string_view kEnd = "-----END PGP PUBLIC KEY BLOCK-----";
  std::string bytes;
  for (auto at = text.find(kBegin); at != text.npos; at = text.find(kBegin)) {
    text.remove_prefix(at + kBegin.size());
    const auto end = text.find(kEnd);
    if (end == text.npos) return damaged("its armour does not close");
    std::string_view block = text.substr(0, end);
    text.remove_prefix(end + kEnd.size());
    // Headers end with an empty line; "=" at the beginning of a line is the checksum.
    std::string base64;
    bool is_body = false;
    while (!block.empty()) {
      auto line = block.substr(0, block.find('\n'));
      block.remove_prefix(std::min(line.size() + 1, block.size()));
      while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
      if (is_body && line.starts_with('=')) break;
      if (is_body) base64 += line;
      // The first line is the rest of the mark's own.
      if (line.empty() && base64.empty()) is_body = true;
      if (line.find(": ") != line.npos) {
        is_body = false;
        base64.clear();
      }
    }
    auto decoded = base64_decode(base64);
    if (!decoded) return damaged("its armour is no base64");
    bytes += *decoded;
  }
  return bytes;
}

}  // namespace

Result<std::vector<OpenpgpKey>> parse_keyring(std::string_view bytes) {
  constexpr std::size_t kKeyboxMagicAt = 8;
  if (bytes.size() > kKeyboxMagicAt + 4 && bytes.substr(kKeyboxMagicAt, 4) == "KBXf")
    return Error{Errc::unsupported, "a keybox of GnuPG, which apt does not read either"};
  std::string binary;
  if (bytes.find("-----BEGIN PGP") != bytes.npos) {
    auto decoded = dearmour(bytes);
    if (!decoded) return std::move(decoded).error();
    binary = *std::move(decoded);
    bytes = binary;
  }
  Reader reader;
  std::size_t count = 0;
  while (!bytes.empty()) {
    const auto packet = cut_packet(bytes);
    if (!packet) return damaged("it is cut off, or something else");
    if (++count > kPacketsMax) return Error{Errc::too_large, "over 100000 packets"};
    if (auto status = reader.take(*packet); !status) return std::move(status).error();
  }
  if (reader.keys.empty()) return damaged("no key in it");
  return std::move(reader.keys);
}

}  // namespace vouch::patch_level
