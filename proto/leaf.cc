// SPDX-License-Identifier: Apache-2.0
#include "proto/leaf.h"

#include <array>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "core/json.h"
#include "proto/names.h"
#include "proto/note.h"

namespace vouch::leaf {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kWordBytesMax = 128;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kEd25519SpkiBytes = 44;
constexpr std::size_t kP256SpkiBytes = 91;
constexpr std::size_t kSignatureBytesMax = 72;  // ECDSA P-256 in DER; Ed25519 has 64.
constexpr std::size_t kTokenHexDigits = 16;

// In the order of Body.
constexpr std::array<std::string_view, std::variant_size_v<Body>> kTypeNames = {
    "bundle",    "rotate",      "enrol",      "repin",     "revoke", "decommission",
    "fork",      "drop",        "overdue",    "recovered", "late",   "sign-in",
    "approval",  "purge",       "hold",       "export",    "review", "role",
    "inventory", "store-start", "store-stop", "succession"};

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// The forms of text members. No member takes free text: what people write goes into a blob.
using Form = bool (*)(std::string_view);

bool is_word(std::string_view text) {
  if (text.empty() || text.size() > kWordBytesMax) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("._:/@-").find(c) == std::string_view::npos) return false;
  }
  return true;
}

bool is_base64_of(std::string_view text, std::size_t bytes_min, std::size_t bytes_max) {
  const auto bytes = base64_decode(text);
  return bytes && bytes->size() >= bytes_min && bytes->size() <= bytes_max;
}
bool is_base64_digest(std::string_view text) {
  return is_base64_of(text, kDigestBytes, kDigestBytes);
}
bool is_base64_spki(std::string_view text) {
  return is_base64_of(text, kEd25519SpkiBytes, kEd25519SpkiBytes) ||
         is_base64_of(text, kP256SpkiBytes, kP256SpkiBytes);
}
bool is_base64_signature(std::string_view text) {
  return is_base64_of(text, 1, kSignatureBytesMax);
}
bool is_token_id(std::string_view text) {
  return text.size() == kTokenHexDigits && hex_decode(text).has_value();
}
bool is_approval_kind(std::string_view text) {
  return text == "baseline" || text == "waivers" || text == "policy" || text == "config";
}

// Fills members from an object. The first member that is not of its form is the error.
class Reader {
 public:
  explicit Reader(const json::Value& object) : object_(object) {}

  void text(std::string_view name, std::string& member, Form form) {
    const auto* value = object_.find(name);
    const auto* string = value == nullptr ? nullptr : value->if_string();
    if (string == nullptr || !form(*string)) return fail(name);
    member = *string;
  }
  void text(std::string_view name, std::optional<std::string>& member, Form form) {
    if (object_.find(name) == nullptr) return;
    text(name, member.emplace(), form);
  }
  void integer(std::string_view name, std::int64_t& member) {
    const auto* value = object_.find(name);
    const auto* number = value == nullptr ? nullptr : value->if_integer();
    if (number == nullptr || *number < 0) return fail(name);
    member = *number;
  }
  void boolean(std::string_view name, bool& member) {
    const auto* value = object_.find(name);
    const auto* boolean = value == nullptr ? nullptr : value->if_bool();
    if (boolean == nullptr) return fail(name);
    member = *boolean;
  }
  void instant(std::string_view name, WallMs& member) {
    const auto* value = object_.find(name);
    const auto* string = value == nullptr ? nullptr : value->if_string();
    auto time = parse_instant(string == nullptr ? "" : *string);
    if (!time) return fail(name);
    member = *time;
  }
  void ids(std::string_view name, std::string& first, std::string& other) {
    const auto* value = object_.find(name);
    const auto* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() != 2) return fail(name);
    const auto* a = (*array)[0].if_string();
    const auto* b = (*array)[1].if_string();
    if (a == nullptr || b == nullptr || !is_hex_digest(*a) || !is_hex_digest(*b)) return fail(name);
    first = *a;
    other = *b;
  }
  void require(bool holds, std::string_view rule) {
    if (!holds && error_.empty()) error_ = rule;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void fail(std::string_view name) {
    if (error_.empty()) error_ = fmt::format("member \"{}\" is missing or not of its form", name);
  }
  const json::Value& object_;
  std::string error_;
};

// Puts members into an object. Takes the same calls as Reader; forms are checked by reading back.
class Writer {
 public:
  void text(std::string_view name, const std::string& member, Form) { put(name, member); }
  void text(std::string_view name, const std::optional<std::string>& member, Form) {
    if (member) put(name, *member);
  }
  void integer(std::string_view name, std::int64_t member) {
    // What JSON cannot hold becomes what parse() refuses.
    put(name, member > json::kIntegerMax || member < 0 ? std::int64_t{-1} : member);
  }
  void boolean(std::string_view name, bool member) { put(name, member); }
  void instant(std::string_view name, WallMs member) { put(name, format_instant(member)); }
  void ids(std::string_view name, const std::string& first, const std::string& other) {
    put(name, json::Array{first, other});
  }
  void require(bool, std::string_view) {}
  void put(std::string_view name, json::Value value) {
    object_.emplace(std::string(name), std::move(value));
  }
  [[nodiscard]] json::Object take() && { return std::move(object_); }

 private:
  json::Object object_;
};

// One description of each type, for both directions.
template <typename V>
void describe(V& v, Bundle& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.text("id", b.id, is_hex_digest);
  v.text("prev", b.prev, is_hex_digest);
  v.text("keyid", b.keyid, is_base64_digest);
  v.text("sig", b.sig, is_base64_signature);
}
template <typename V>
void describe(V& v, Rotate& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.integer("epoch", b.epoch);
  v.text("keyid_old", b.keyid_old, is_base64_digest);
  v.text("keyid", b.keyid, is_base64_digest);
  v.text("key", b.key, is_base64_spki);
}
template <typename V>
void describe(V& v, Enrol& b) {
  v.text("agent", b.agent, is_agent_id);
  v.text("machine", b.machine, is_machine_id);
  v.text("keyid", b.keyid, is_base64_digest);
  v.text("key", b.key, is_base64_spki);
  v.text("statement", b.statement, is_hex_digest);
  v.text("token", b.token, is_token_id);
  v.text("by", b.by, is_id);
  v.text("predecessor", b.predecessor, is_agent_id);
  v.text("policy", b.policy, is_hex_digest);
}
template <typename V>
void describe(V& v, Repin& b) {
  describe(v, b.enrol);
  v.integer("epoch", b.epoch);
  v.integer("next_seq", b.next_seq);
  v.text("prev", b.prev, is_hex_digest);
}
template <typename V>
void describe(V& v, Revoke& b) {
  v.text("agent", b.agent, is_agent_id);
  v.text("keyid", b.keyid, is_base64_digest);
  v.integer("from_seq", b.from_seq);
  v.text("by", b.by, is_id);
  v.text("note", b.note, is_hex_digest);
}
template <typename V>
void describe(V& v, Decommission& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("last_seq", b.last_seq);
  v.text("by", b.by, is_id);
  v.text("note", b.note, is_hex_digest);
}
template <typename V>
void describe(V& v, Fork& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.ids("ids", b.first_id, b.other_id);
  v.text("sig", b.sig, is_base64_signature);
}
template <typename V>
void describe(V& v, Drop& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.text("statement", b.statement, is_hex_digest);
  v.text("by", b.by, is_id);
  v.require(b.statement.has_value() != b.by.has_value(), "exactly one of \"statement\" and \"by\"");
}
template <typename V>
void describe(V& v, Overdue& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.instant("next_due", b.next_due);
  v.integer("grace_s", b.grace_s);
}
template <typename V>
void describe(V& v, Recovered& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.integer("overdue", b.overdue);
}
template <typename V>
void describe(V& v, Late& b) {
  v.text("agent", b.agent, is_agent_id);
  v.integer("seq", b.seq);
  v.integer("late_s", b.late_s);
}
template <typename V>
void describe(V& v, SignIn& b) {
  v.text("by", b.by, is_id);
  v.text("method", b.method, is_word);
}
template <typename V>
void describe(V& v, Approval& b) {
  v.text("kind", b.kind, is_approval_kind);
  v.text("digest", b.digest, is_hex_digest);
  v.text("agent", b.agent, is_agent_id);
  v.text("by", b.by, is_id);
  v.text("requester", b.requester, is_id);
  v.text("implementer", b.implementer, is_id);
  v.text("note", b.note, is_hex_digest);
  v.require(b.by != b.requester && (!b.implementer || b.by != *b.implementer),
            "who approves is neither the requester nor the implementer");
}
template <typename V>
void describe(V& v, Purge& b) {
  v.text("manifest", b.manifest, is_hex_digest);
  v.integer("count", b.count);
  v.text("rule", b.rule, is_word);
  v.text("by", b.by, is_id);
}
template <typename V>
void describe(V& v, Hold& b) {
  v.text("scope", b.scope, is_word);
  v.boolean("set", b.set);
  v.text("by", b.by, is_id);
  v.text("note", b.note, is_hex_digest);
}
template <typename V>
void describe(V& v, Export& b) {
  v.text("scope", b.scope, is_word);
  v.integer("size", b.size);
  v.text("by", b.by, is_id);
}
template <typename V>
void describe(V& v, Review& b) {
  v.text("campaign", b.campaign, is_word);
  v.text("item", b.item, is_word);
  v.text("decision", b.decision, is_word);
  v.text("by", b.by, is_id);
  v.text("note", b.note, is_hex_digest);
}
template <typename V>
void describe(V& v, Role& b) {
  v.text("account", b.account, is_id);
  v.text("role", b.role, is_word);
  v.text("by", b.by, is_id);
}
template <typename V>
void describe(V& v, Inventory& b) {
  v.text("source", b.source, is_word);
  v.text("sha256", b.sha256, is_hex_digest);
  v.integer("hosts", b.hosts);
}
template <typename V>
void describe(V& v, StoreStart& b) {
  v.text("version", b.version, is_word);
  v.text("digest", b.digest, is_hex_digest);
}
template <typename V>
void describe(V& v, StoreStop& b) {
  v.text("version", b.version, is_word);
  v.text("digest", b.digest, is_hex_digest);
}
template <typename V>
void describe(V& v, Succession& b) {
  v.text("origin", b.origin, note::is_key_name);
  v.integer("size", b.size);
  v.text("root", b.root, is_base64_digest);
  v.text("reason", b.reason, is_word);
  v.text("statement", b.statement, is_hex_digest);
  v.text("by", b.by, is_id);
}

// The body whose type has the name, default constructed.
template <std::size_t I = 0>
std::optional<Body> empty_body(std::string_view name) {
  if constexpr (I < std::variant_size_v<Body>) {
    if (kTypeNames[I] == name) return Body(std::in_place_index<I>);
    return empty_body<I + 1>(name);
  } else {
    return std::nullopt;
  }
}

}  // namespace

std::string_view type_name(const Body& body) {
  return kTypeNames[body.index()];
}

Result<std::string> write(const Leaf& leaf) {
  Writer writer;
  writer.put("type", type_name(leaf.body));
  writer.put("v", kVersion);
  writer.put("at", format_instant(leaf.at));
  auto body = leaf.body;
  std::visit([&](auto& b) { describe(writer, b); }, body);
  auto bytes = json::write(std::move(writer).take());
  // A leaf cannot be taken back: it is read as everyone will read it before it is handed out.
  auto back = parse(bytes);
  if (!back) return std::move(back).error().in(fmt::format("{} leaf", type_name(leaf.body)));
  return bytes;
}

Result<Leaf> parse(std::string_view bytes) {
  if (bytes.size() > kLeafBytesMax) return Error{Errc::too_large, "log entry over 4,096 bytes"};
  auto value = json::parse(bytes);
  if (!value) return std::move(value).error();
  if (value->if_object() == nullptr) return invalid("log entry is no object");
  if (json::write(*value) != bytes) return invalid("log entry is not in canonical form");
  const auto version = json::get_integer(*value, "v");
  if (!version || *version != kVersion) return invalid("log entry whose \"v\" is not 1");
  const auto type = json::get_string(*value, "type");
  if (!type) return invalid("log entry without a type");
  auto body = empty_body(*type);
  if (!body) return invalid("log entry of an unknown type");

  Leaf leaf{0, *std::move(body)};
  Reader reader(*value);
  reader.instant("at", leaf.at);
  std::visit([&](auto& b) { describe(reader, b); }, leaf.body);
  if (!reader.error().empty()) return invalid(fmt::format("{} leaf: {}", *type, reader.error()));
  return leaf;
}

}  // namespace vouch::leaf
