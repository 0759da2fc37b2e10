// SPDX-License-Identifier: Apache-2.0
// The store's HTTP interface (docs/formats/api.md, proto/openapi.yaml): which request gets which
// answer. Plain functions on values; nothing here knows a socket.
#pragma once

#include <memory>
#include <string>

#include "store/drops.h"
#include "store/enrol.h"
#include "store/http.h"
#include "store/ingest.h"

namespace vouch::store {

class Api final : public Handler {
 public:
  // All must outlive it.
  Api(IngestContext& ingest, EnrolContext& enrol, DropContext& drops)
      : ingest_(ingest), enrol_(enrol), drops_(drops) {}

  Response handle(const Request& request) override;
  void handle_async(const Request& request, const Done& done) override;
  std::unique_ptr<Upload> upload(const Request& head) override;

 private:
  Response get(std::string_view path, const Request& request);
  Response get_tile(std::string_view path, const Request& request);
  Response get_earlier(std::string_view rest, const Request& request);
  Response get_succession(std::string_view name);
  Response get_receipt(std::string_view bundle_id);
  Response get_bundle(std::string_view rest);
  Response get_blob(std::string_view sha256);
  static Response evidence(const Result<std::string>& bytes, std::string media_type);
  // Nothing, if the bearer token is that of a role that may read evidence.
  std::optional<Response> refuse_reader(const Request& request);

  IngestContext& ingest_;
  EnrolContext& enrol_;
  DropContext& drops_;
};

}  // namespace vouch::store
