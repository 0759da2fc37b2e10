// SPDX-License-Identifier: Apache-2.0
#include "store/api.h"

#include <charconv>
#include <utility>

#include "core/encoding.h"
#include "proto/names.h"
#include "proto/note.h"
#include "proto/tile.h"
#include "store/evidence_files.h"
#include "store/layout.h"
#include "store/token.h"

namespace vouch::store {
namespace {

constexpr std::string_view kParcelMediaType = "application/vnd.vouch.parcel+zstd";
constexpr std::string_view kForEver = "public, max-age=31536000, immutable";
constexpr int kTileLevelBits = 8;

Response not_found() {
  return to_response({ProblemKind::not_found, "", {}});
}

Response method_not_allowed(std::string allow) {
  Response response{405, "text/plain; charset=utf-8", "method not allowed\n", {}};
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::int64_t> parse_seq(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  // Only one spelling: "7", never "07" or "-0".
  if (!whole || value < 0 || std::to_string(value) != text) return std::nullopt;
  return value;
}

std::string_view path_of(const Request& request) {
  const std::string_view target = request.target;
  return target.substr(0, target.find('?'));
}

// An upload that was refused by its head alone.
class RefusedUpload final : public Upload {
 public:
  explicit RefusedUpload(Problem problem) : problem_(std::move(problem)) {}
  bool feed(std::string_view) override { return false; }
  void finish(Done done) override {
    done([problem = problem_] { return to_response(problem); });
  }

 private:
  Problem problem_;
};

}  // namespace

std::unique_ptr<Upload> Api::upload(const Request& head) {
  if (head.method != "POST") return nullptr;
  if (path_of(head) == "/v1/drops") return make_drop_upload(drops_);
  if (path_of(head) != "/v1/parcels") return nullptr;
  const auto malformed = [](std::string detail, std::string member) {
    return std::make_unique<RefusedUpload>(
        Problem{ProblemKind::malformed,
                std::move(detail),
                {{"reason", "header"}, {"member", std::move(member)}}});
  };
  if (head.content_type != kParcelMediaType) {
    return malformed("send " + std::string(kParcelMediaType), "Content-Type");
  }
  if (!head.content_encoding.empty()) {
    return malformed("a parcel is compressed already", "Content-Encoding");
  }
  return make_parcel_upload(ingest_, head.content_length);
}

void Api::handle_async(const Request& request, const Done& done) {
  if (request.method == "POST" && path_of(request) == "/v1/enroll") {
    return enrol_agent(enrol_, request.body, done);
  }
  done([response = handle(request)] { return response; });
}

Response Api::handle(const Request& request) {
  const std::string_view path = path_of(request);
  for (const auto* post : {"/v1/parcels", "/v1/enroll", "/v1/drops"}) {
    if (path == post) return method_not_allowed("POST");
  }
  if (request.method != "GET") return method_not_allowed("GET");
  return get(path, request);
}

Response Api::get(std::string_view path, const Request& request) {
  if (path == "/healthz") return {200, "text/plain; charset=utf-8", "ok\n", {}};
  if (path == "/v1/checkpoint") {
    Response response{200, "text/plain; charset=utf-8", ingest_.receipts.checkpoint(), {}};
    response.headers.emplace_back("Cache-Control", "no-cache");
    return response;
  }
  if (path == "/v1/compat") {
    return {200, "text/plain; charset=utf-8", ingest_.compat.note, {}};
  }
  if (path.substr(0, 9) == "/v1/tile/") return get_tile(path.substr(4), request);
  const auto& earlier = ingest_.receipts.earlier();
  if (path == "/v1/succession") {
    return earlier.empty() ? not_found() : get_succession(earlier.back().name);
  }
  if (cut_prefix(path, "/v1/successions/")) return get_succession(path);
  if (cut_prefix(path, "/v1/logs/")) return get_earlier(path, request);
  if (cut_prefix(path, "/v1/receipts/")) return get_receipt(path);
  const bool is_bundle = cut_prefix(path, "/v1/bundles/");
  if (!is_bundle && !cut_prefix(path, "/v1/blobs/sha256/")) return not_found();
  auto refused = refuse_reader(request);
  if (refused) return *std::move(refused);
  return is_bundle ? get_bundle(path) : get_blob(path);
}

Response Api::get_tile(std::string_view path, const Request& request) {
  auto id = tile::parse_tile_path(path);
  if (!id) return not_found();
  if (id->entries) {
    auto refused = refuse_reader(request);
    if (refused) return *std::move(refused);
  }
  // Tiles above the head may lie there after a crash; they are of no tree that was ever signed.
  const int shift = id->level * kTileLevelBits;
  const std::uint64_t wide = shift >= 64 ? 0 : ingest_.receipts.size() >> shift;
  if (id->index > wide / tile::kTileWidth || id->index * tile::kTileWidth + id->width > wide) {
    return not_found();
  }
  const auto bytes_max = id->entries ? tile::kEntriesBytesMax : tile::kTileBytesMax;
  auto bytes = ingest_.disk.get(std::string(path), bytes_max);
  if (!bytes)
    return bytes.error().code == Errc::not_found ? not_found()
                                                 : to_response(storage_problem(bytes.error()));
  Response response{200, "application/octet-stream", *std::move(bytes), {}};
  response.headers.emplace_back("Cache-Control", id->entries ? "private" : kForEver);
  return response;
}

// The note that ended the log `name`. There is none where its key was lost.
Response Api::get_succession(std::string_view name) {
  for (const auto& log : ingest_.receipts.earlier()) {
    if (log.name != name) continue;
    auto note = ingest_.disk.get(layout::succession_path(log.name), note::kNoteBytesMax);
    if (note) return {200, "text/plain; charset=utf-8", *std::move(note), {}};
    if (note.error().code != Errc::not_found) return to_response(storage_problem(note.error()));
  }
  return not_found();
}

// <name>/checkpoint, <name>/tile/…: what an earlier log was at its end.
Response Api::get_earlier(std::string_view rest, const Request& request) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return not_found();
  const auto name = rest.substr(0, slash);
  const std::string path(rest.substr(slash + 1));
  for (const auto& log : ingest_.receipts.earlier()) {
    if (log.name != name) continue;
    const auto id = tile::parse_tile_path(path);
    if (!id && path != "checkpoint") return not_found();
    if (id && id->entries) {
      auto refused = refuse_reader(request);
      if (refused) return *std::move(refused);
    }
    auto bytes = ingest_.disk.get("logs/" + log.name + "/" + path, tile::kEntriesBytesMax);
    if (!bytes && bytes.error().code == Errc::not_found) return not_found();
    if (!bytes) return to_response(storage_problem(bytes.error()));
    return {
        200, id ? "application/octet-stream" : "text/plain; charset=utf-8", *std::move(bytes), {}};
  }
  return not_found();
}

Response Api::get_receipt(std::string_view bundle_id) {
  if (!is_hex_digest(bundle_id)) return not_found();
  auto index = ingest_.readers.lend();
  if (!index) return to_response(storage_problem(index.error()));
  auto row = (*index)->find_bundle(bundle_id);
  if (!row) return to_response(storage_problem(row.error()));
  if (!*row) return not_found();
  auto receipt = ingest_.receipts.receipt((*row)->leaf);
  if (!receipt) {
    if (receipt.error().code == Errc::not_found) return not_found();
    return to_response(storage_problem(receipt.error()));
  }
  Response response{200, "text/plain; charset=utf-8", *std::move(receipt), {}};
  response.headers.emplace_back("Cache-Control", "no-cache");
  return response;
}

Response Api::evidence(const Result<std::string>& bytes, std::string media_type) {
  if (!bytes && bytes.error().code == Errc::not_found) return not_found();
  if (!bytes) return to_response(storage_problem(bytes.error()));
  Response response{200, std::move(media_type), *bytes, {}};
  response.headers.emplace_back("Cache-Control", "private");
  return response;
}

Response Api::get_bundle(std::string_view rest) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return not_found();
  const auto agent = rest.substr(0, slash);
  const auto seq = parse_seq(rest.substr(slash + 1));
  if (!is_agent_id(agent) || !seq) return not_found();
  auto index = ingest_.readers.lend();
  if (!index) return to_response(storage_problem(index.error()));
  auto row = (*index)->find_bundle_at(agent, *seq);
  if (!row) return to_response(storage_problem(row.error()));
  if (!*row) return not_found();
  return evidence(read_bundle(ingest_.disk, **index, agent, *seq, (*row)->id), "application/json");
}

Response Api::get_blob(std::string_view sha256) {
  if (!is_hex_digest(sha256)) return not_found();
  auto index = ingest_.readers.lend();
  if (!index) return to_response(storage_problem(index.error()));
  return evidence(read_blob(ingest_.disk, **index, sha256), "application/octet-stream");
}

std::optional<Response> Api::refuse_reader(const Request& request) {
  const auto refuse = [](ProblemKind kind, std::string detail) {
    return std::optional<Response>(to_response({kind, std::move(detail), {}}));
  };
  std::string_view bearer = request.authorization;
  if (!cut_prefix(bearer, "Bearer ")) {
    return refuse(ProblemKind::token, "send a bearer token of the role auditor");
  }
  const auto presented = parse_token(bearer);
  if (!presented) return refuse(ProblemKind::token, "not a token");
  auto index = ingest_.readers.lend();
  if (!index) return to_response(storage_problem(index.error()));
  auto token = (*index)->find_token(presented->id);
  if (!token) return to_response(storage_problem(token.error()));
  if (!*token || !token_holds(**token, presented->secret, ingest_.clock.wall_ms())) {
    return refuse(ProblemKind::token, "the token is unknown or expired");
  }
  if ((*token)->role != Role::auditor) {
    return refuse(ProblemKind::forbidden, "this needs the role auditor");
  }
  return std::nullopt;
}

}  // namespace vouch::store
