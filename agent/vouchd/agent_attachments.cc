// SPDX-License-Identifier: Apache-2.0
// Documents that a person attaches (attachments.h).
#include "agent/vouchd/agent.h"
#include "core/digest.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

json::Value to_json(const Attachment& document) {
  json::Value value = vouch::to_json(Record(document));
  json::Object object = *value.if_object();
  object.erase("kind");
  if (const auto due = due_of(document)) object.emplace("due", format_second(*due));
  return object;
}

}  // namespace

// What the command line has left, whose digest the request names.
Status Agent::take_document(Attachment& document) {
  const std::string path = state_->directory + "/" + std::string(kIncoming) + "/" + document.sha256;
  auto bytes = read_file(path, kDocumentBytesMax);
  if (!bytes) return std::move(bytes).error();
  if (sha256_hex(*bytes) != document.sha256) {
    return Error{Errc::invalid, path + ": is not what was announced"};
  }
  document.size = static_cast<std::int64_t>(bytes->size());
  if (auto put = state_->put_blob(document.sha256, *bytes); !put) return put;
  return remove_file(path);
}

Result<json::Value> Agent::attach(const json::Value& request) {
  auto document = parse_attachment_request(request, clock_.wall_ms());
  if (!document) return std::move(document).error();
  if (auto taken = take_document(*document); !taken) return std::move(taken).error();
  WaitingRecord waiting;
  waiting.record = *document;
  waiting.urgent = true;
  auto done = state_->ledger.transaction(document->at, [&]() -> Status {
    if (auto set = state_->attachments.set(*document); !set) return set;
    return state_->waiting.add(waiting, {document->sha256});
  });
  if (!done) return std::move(done).error();
  log::info(document->file + " attached by " + document->by, {{"event", "attachment"}});
  return json::Value(json::Object{{"ok", true}, {"attachment", to_json(*document)}});
}

Result<json::Value> Agent::list_attachments() {
  auto documents = state_->attachments.list();
  if (!documents) return std::move(documents).error();
  json::Array list;
  for (const Attachment& document : *documents) list.push_back(to_json(document));
  return json::Value(json::Object{{"ok", true}, {"attachments", std::move(list)}});
}

}  // namespace vouch::agent
