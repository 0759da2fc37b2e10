// SPDX-License-Identifier: Apache-2.0
#include "store/link_json.h"

#include "core/encoding.h"
#include "core/json.h"

namespace vouch::store {
namespace {

json::Value to_json(const LogSeen& seen) {
  return json::Object{
      {"origin", seen.origin}, {"size", seen.size}, {"root", seen.root}, {"sig", seen.sig}};
}

Result<LogSeen> parse_seen(const json::Value& value) {
  auto origin = json::get_string(value, "origin");
  if (!origin) return std::move(origin).error();
  auto size = json::get_integer(value, "size");
  if (!size) return std::move(size).error();
  auto root = json::get_string(value, "root");
  if (!root) return std::move(root).error();
  auto sig = json::get_string(value, "sig");
  if (!sig) return std::move(sig).error();
  return LogSeen{*origin, *size, *root, *sig};
}

Status read_open(const json::Value& value, ChainLink& link) {
  auto open = json::get_array(value, "open");
  if (!open) return std::move(open).error();
  for (const auto& run : **open) {
    if (run.if_string() == nullptr) return Error{Errc::corrupt, "link: \"open\""};
    link.open.push_back(*run.if_string());
  }
  return Ok{};
}

}  // namespace

std::string write_link(const ChainLink& link) {
  json::Array open;
  for (const auto& run : link.open) open.emplace_back(run);
  json::Object object{
      {"agent", link.agent},         {"machine", link.machine}, {"next_seq", link.next_seq},
      {"prev", link.prev},           {"epoch", link.epoch},     {"spki", hex_encode(link.spki)},
      {"period_to", link.period_to}, {"sealed", link.sealed},   {"boot_id", link.boot_id},
      {"boot_us", link.boot_us},     {"open", std::move(open)}};
  if (link.log_seen) object.emplace("log_seen", to_json(*link.log_seen));
  return json::write(std::move(object));
}

Result<ChainLink> parse_link(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return std::move(value).error().in("link");
  ChainLink link;
  std::string spki;
  struct Text {
    const char* key;
    std::string* target;
  };
  for (const auto& [key, target] :
       {Text{"agent", &link.agent}, Text{"machine", &link.machine}, Text{"prev", &link.prev},
        Text{"spki", &spki}, Text{"boot_id", &link.boot_id}}) {
    auto member = json::get_string(*value, key);
    if (!member) return std::move(member).error().in("link");
    *target = *std::move(member);
  }
  struct Integer {
    const char* key;
    std::int64_t* target;
  };
  for (const auto& [key, target] :
       {Integer{"next_seq", &link.next_seq}, Integer{"epoch", &link.epoch},
        Integer{"period_to", &link.period_to}, Integer{"sealed", &link.sealed},
        Integer{"boot_us", &link.boot_us}}) {
    auto member = json::get_integer(*value, key);
    if (!member) return std::move(member).error().in("link");
    *target = *member;
  }
  auto raw = hex_decode(spki);
  if (!raw) return std::move(raw).error().in("link: \"spki\"");
  link.spki = *std::move(raw);
  auto opened = read_open(*value, link);
  if (!opened) return std::move(opened).error();
  if (const auto* seen = value->find("log_seen"); seen != nullptr) {
    auto parsed = parse_seen(*seen);
    if (!parsed) return std::move(parsed).error().in("link: \"log_seen\"");
    link.log_seen = *std::move(parsed);
  }
  return link;
}

}  // namespace vouch::store
