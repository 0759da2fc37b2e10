// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/attachments.h"

#include <algorithm>

#include "proto/names.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kCadenceDaysMax = 3660;

// A day (2026-11-27, at its beginning) or an instant; nothing where it is not given.
Result<std::optional<WallSeconds>> time_of(const json::Value& request, std::string_view name) {
  const auto text = json::get_string(request, name);
  if (!text) return std::optional<WallSeconds>();
  const auto second = parse_second(text->size() == 10 ? *text + "T00:00:00Z" : *text);
  if (second) return std::optional<WallSeconds>(*second);
  return Error{Errc::invalid, std::string(name) + ": expected 2026-11-27 or 2026-11-27T10:00:00Z"};
}

Status read_times(const json::Value& request, WallMs now, Attachment& document) {
  auto effective = time_of(request, "effective");
  if (!effective) return std::move(effective).error();
  auto expires = time_of(request, "expires");
  if (!expires) return std::move(expires).error();
  document.effective = effective->value_or(now / 1000);
  document.expires = *expires;
  if (document.effective > now / 1000) {
    return Error{Errc::invalid, "effective: lies ahead; attach it when it holds"};
  }
  if (document.expires && *document.expires <= document.effective) {
    return Error{Errc::invalid, "expires: not after the day from which it holds"};
  }
  if (request.find("cadence_days") == nullptr) return Ok{};
  const auto days = json::get_integer(request, "cadence_days");
  if (!days || *days < 1 || *days > kCadenceDaysMax) {
    return Error{Errc::invalid, "cadence_days: expected 1 to 3660"};
  }
  document.cadence_days = *days;
  return Ok{};
}

}  // namespace

std::optional<WallSeconds> due_of(const Attachment& document) {
  if (!document.cadence_days) return document.expires;
  const WallSeconds by_cadence = document.effective + *document.cadence_days * kSecondsPerDay;
  return std::min(document.expires.value_or(by_cadence), by_cadence);
}

Result<Attachment> parse_attachment_request(const json::Value& request, WallMs now) {
  Attachment document;
  document.at = now;
  const std::vector<std::pair<std::string_view, std::string*>> texts{
      {"file", &document.file},
      {"sha256", &document.sha256},
      {"media_type", &document.media_type},
      {"title", &document.title},
      {"by", &document.by}};
  for (const auto& [name, text] : texts) {
    auto given = json::get_string(request, name);
    if (!given || given->empty()) return Error{Errc::invalid, std::string(name) + ": missing"};
    *text = *std::move(given);
  }
  const auto* controls = request.find("controls");
  if (controls == nullptr || controls->if_array() == nullptr || controls->if_array()->empty()) {
    return Error{Errc::invalid, "controls: missing"};
  }
  for (const json::Value& control : *controls->if_array()) {
    if (control.if_string() == nullptr) return Error{Errc::invalid, "controls: not text"};
    document.controls.push_back(*control.if_string());
  }
  std::sort(document.controls.begin(), document.controls.end());
  if (auto read = read_times(request, now, document); !read) return std::move(read).error();
  // The forms of the format: names, digest, lengths, counts.
  auto parsed = parse_record(to_json(Record(document)));
  if (!parsed) return std::move(parsed).error();
  return document;
}

Status Attachments::set(const Attachment& document) {
  auto insert = database_.prepare("INSERT OR REPLACE INTO attachments VALUES (?, ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, document.file).bind(2, json::write(to_json(Record(document))));
  return insert->run();
}

Result<std::vector<Attachment>> Attachments::list() {
  auto select = database_.prepare("SELECT record FROM attachments ORDER BY file");
  if (!select) return std::move(select).error();
  std::vector<Attachment> documents;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return documents;
    auto value = json::parse(select->text(0));
    if (!value) return std::move(value).error();
    auto record = parse_record(*value);
    if (!record) return std::move(record).error();
    if (auto* document = std::get_if<Attachment>(&*record)) {
      documents.push_back(std::move(*document));
    }
  }
}

}  // namespace vouch::agent
