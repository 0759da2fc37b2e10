// SPDX-License-Identifier: Apache-2.0
#include "proto/enrolment.h"

#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/dsse.h"
#include "proto/keys.h"
#include "proto/names.h"
#include "proto/signing_key.h"

namespace vouch::enrolment {
namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::string_view kMacTag = "vouch-enroll/v1";
constexpr std::size_t kTokenHexDigits = 16;

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

json::Value to_json(const Predicate& predicate) {
  json::Object object{{"agent", predicate.agent},
                      {"machine", predicate.machine},
                      {"key", base64_encode(predicate.key)},
                      {"token", predicate.token},
                      {"mac", predicate.mac},
                      {"host", predicate.host}};
  if (predicate.predecessor) {
    object["predecessor"] = json::Object{{"agent", predicate.predecessor->agent},
                                         {"reason", predicate.predecessor->reason}};
  }
  if (predicate.repin) {
    const auto& repin = *predicate.repin;
    object["repin"] =
        json::Object{{"origin", repin.origin}, {"size", repin.size},         {"root", repin.root},
                     {"epoch", repin.epoch},   {"next_seq", repin.next_seq}, {"prev", repin.prev}};
  }
  return object;
}

Result<Predecessor> parse_predecessor(const json::Value& value) {
  auto agent = json::get_string(value, "agent");
  auto reason = json::get_string(value, "reason");
  if (!agent || !is_agent_id(*agent) || !reason) return invalid("bad predecessor");
  return Predecessor{*std::move(agent), *std::move(reason)};
}

Result<Repin> parse_repin(const json::Value& value) {
  auto origin = json::get_string(value, "origin");
  auto size = json::get_integer(value, "size");
  auto root = json::get_string(value, "root");
  auto epoch = json::get_integer(value, "epoch");
  auto next_seq = json::get_integer(value, "next_seq");
  auto prev = json::get_string(value, "prev");
  if (!origin || !note::is_key_name(*origin) || !size || *size < 0 || !root || !epoch ||
      *epoch < 0 || !next_seq || *next_seq < 0 || !prev || !is_hex_digest(*prev)) {
    return invalid("bad repin");
  }
  const auto root_bytes = base64_decode(*root);
  if (!root_bytes || root_bytes->size() != merkle::kHashBytes) return invalid("bad repin");
  return Repin{*std::move(origin), static_cast<std::uint64_t>(*size),
               *std::move(root),   *epoch,
               *next_seq,          *std::move(prev)};
}

Result<Predicate> parse_predicate(const json::Value& value) {
  auto agent = json::get_string(value, "agent");
  if (!agent || !is_agent_id(*agent)) return invalid("/predicate/agent: no UUID v4");
  auto machine = json::get_string(value, "machine");
  if (!machine || !is_machine_id(*machine)) return invalid("/predicate/machine: no machine id");
  auto key_text = json::get_string(value, "key");
  auto key = base64_decode(key_text ? *key_text : "?");
  if (!key) return invalid("/predicate/key: no base64");
  auto token = json::get_string(value, "token");
  if (!token || token->size() != kTokenHexDigits || !hex_decode(*token)) {
    return invalid("/predicate/token: no token id");
  }
  auto mac_text = json::get_string(value, "mac");
  if (!mac_text || !is_hex_digest(*mac_text)) return invalid("/predicate/mac: no digest");
  auto host = json::get_object(value, "host");
  if (!host) return invalid("/predicate/host: no object");

  Predicate predicate{*std::move(agent), *std::move(machine),  *std::move(key),
                      *std::move(token), *std::move(mac_text), *(*host)->if_object(),
                      std::nullopt,      std::nullopt};
  if (const auto* member = value.find("predecessor")) {
    auto predecessor = parse_predecessor(*member);
    if (!predecessor) return std::move(predecessor).error();
    predicate.predecessor = *std::move(predecessor);
  }
  if (const auto* member = value.find("repin")) {
    auto repin = parse_repin(*member);
    if (!repin) return std::move(repin).error();
    predicate.repin = *std::move(repin);
  }
  return predicate;
}

// Exactly one subject, `key`, with the digest of the key in the predicate.
bool is_subject_of(const json::Value& statement, std::string_view digest) {
  const auto* subject = statement.find("subject");
  const auto* items = subject == nullptr ? nullptr : subject->if_array();
  if (items == nullptr || items->size() != 1) return false;
  const auto name = json::get_string(items->front(), "name");
  const auto* digests = items->front().find("digest");
  const auto sha256 = json::get_string(digests == nullptr ? json::Value() : *digests, "sha256");
  return name && *name == "key" && sha256 && *sha256 == digest;
}

// Whether the log's entry is about this enrolment. `entry` is the one that the request asked for.
bool is_about(const leaf::Enrol& entry, const Request& request, std::string_view policy_digest) {
  return entry.agent == request.predicate.agent && entry.machine == request.predicate.machine &&
         entry.keyid == request.keyid && entry.key == base64_encode(request.predicate.key) &&
         entry.statement == request.statement && entry.token == request.predicate.token &&
         entry.policy == policy_digest;
}

}  // namespace

std::string mac(std::string_view secret, std::string_view agent, std::string_view spki) {
  return hex_encode(
      hmac_sha256(secret, fmt::format("{}\n{}\n{}\n", kMacTag, agent, sha256_hex(spki))));
}

Result<std::string> make_request(Predicate predicate, const JoinString& join,
                                 const SigningKey& key) {
  predicate.key = key.public_key().spki();
  predicate.token = hex_encode(join.token_id);
  predicate.mac = mac(join.token_secret, predicate.agent, predicate.key);
  const json::Object subject{{"name", "key"},
                             {"digest", json::Object{{"sha256", sha256_hex(predicate.key)}}}};
  const json::Object statement{{"_type", kStatementType},
                               {"subject", json::Array{subject}},
                               {"predicateType", kPredicateType},
                               {"predicate", to_json(predicate)}};
  auto envelope = dsse::sign(key, json::write(statement));
  if (!envelope) return std::move(envelope).error();
  return dsse::write(*envelope);
}

Result<Request> parse_request(std::string_view bytes) {
  if (bytes.size() > kRequestBytesMax) return Error{Errc::too_large, "enrolment over 64 KiB"};
  auto envelope = dsse::parse(bytes);
  if (!envelope) return std::move(envelope).error();
  auto statement = json::parse(envelope->payload);
  if (!statement) return std::move(statement).error();
  const auto type = json::get_string(*statement, "_type");
  if (!type || *type != kStatementType) return invalid("/_type: no in-toto Statement v1");
  const auto predicate_type = json::get_string(*statement, "predicateType");
  if (!predicate_type || *predicate_type != kPredicateType) {
    return invalid("/predicateType: no enrolment");
  }
  auto object = json::get_object(*statement, "predicate");
  if (!object) return invalid("/predicate: no object");
  auto predicate = parse_predicate(**object);
  if (!predicate) return std::move(predicate).error();
  auto key = PublicKey::from_spki(predicate->key);
  if (!key) return std::move(key).error().in("/predicate/key");
  if (!is_subject_of(*statement, key->spki_digest())) {
    return invalid("/subject: not the one subject \"key\" with the key's digest");
  }
  if (!dsse::verify(*envelope, *key)) {
    return Error{Errc::denied, "the enrolment is not signed by the key that it names"};
  }
  return Request{*std::move(predicate), dsse::bundle_id(*envelope), key->keyid()};
}

bool mac_holds(const Request& request, std::string_view secret) {
  return constant_time_equal(mac(secret, request.predicate.agent, request.predicate.key),
                             request.predicate.mac);
}

std::string write_response(const Response& response) {
  return json::write(json::Object{
      {"vkey", response.vkey}, {"policy", response.policy}, {"receipt", response.receipt}});
}

Result<Response> parse_response(std::string_view bytes) {
  if (bytes.size() > kResponseBytesMax) return Error{Errc::too_large, "answer over 256 KiB"};
  auto value = json::parse(bytes);
  if (!value) return std::move(value).error();
  auto vkey = json::get_string(*value, "vkey");
  if (!vkey) return std::move(vkey).error();
  auto policy = json::get_string(*value, "policy");
  if (!policy) return std::move(policy).error();
  auto receipt = json::get_string(*value, "receipt");
  if (!receipt) return std::move(receipt).error();
  return Response{*std::move(vkey), *std::move(policy), *std::move(receipt)};
}

Result<Enrolled> check_response(const Response& response, const JoinString& join,
                                const Request& request) {
  if (!constant_time_equal(sha256(response.vkey), join.pin)) {
    return Error{Errc::denied,
                 "the store's log key is not the one that the join string pins: this is another "
                 "store, or someone is between; get a new join string from the store's operator"};
  }
  auto log = note::parse_vkey(response.vkey);
  if (!log) return std::move(log).error();
  auto policy = policy_file::parse(response.policy);
  if (!policy) return std::move(policy).error().in("policy file");
  const auto* only = policy->only_log();
  if (only == nullptr || only->key != *log) {
    return invalid("the policy file does not name exactly the pinned log");
  }
  auto opened = receipt::open(response.receipt, *policy);
  if (opened.verdict != receipt::Verdict::accepted) {
    return invalid(
        fmt::format("receipt: {}: {}", receipt::to_string(opened.verdict), opened.detail));
  }
  if (!policy_file::quorum_met(*policy, opened.opened->checkpoint.witnesses)) {
    return invalid("receipt: the policy's quorum is not met");
  }

  const auto& body = opened.opened->leaf.body;
  const auto* repin = std::get_if<leaf::Repin>(&body);
  const auto* enrol = repin != nullptr ? &repin->enrol : std::get_if<leaf::Enrol>(&body);
  const auto& asked = request.predicate.repin;
  if (enrol == nullptr || asked.has_value() != (repin != nullptr) ||
      !is_about(*enrol, request, sha256_hex(response.policy))) {
    return invalid("receipt: its entry is not this enrolment");
  }
  if (asked && (repin->epoch != asked->epoch || repin->next_seq != asked->next_seq ||
                repin->prev != asked->prev)) {
    return invalid("receipt: its entry re-pins another chain");
  }
  return Enrolled{*std::move(log), *std::move(policy), response.policy, *std::move(opened.opened)};
}

}  // namespace vouch::enrolment
