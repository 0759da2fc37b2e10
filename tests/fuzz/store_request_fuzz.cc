// SPDX-License-Identifier: Apache-2.0
// Everything that a store reads from those who are not enrolled: parcels, enrolments, drop notices,
// paths and bearer tokens. Nobody is enrolled here, so no body is ever accepted, and nothing breaks
// the store.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "core/zstd.h"
#include "proto/archive_header.h"
#include "store/store.h"
#include "store/test_directory.h"

namespace vouch::store {
namespace {

constexpr int kOk = 200;
constexpr int kMultipleChoices = 300;
constexpr int kInternal = 500;

struct Victim {
  TestDirectory dir;
  SystemClock clock;
  std::unique_ptr<Store> store;

  Victim() {
    Settings settings;
    settings.origin = "store.example.com/log1";
    settings.host = "localhost";
    settings.address = "127.0.0.1";
    StoreOptions options;
    options.timer = false;
    if (!Store::init(dir / "s", settings, clock)) std::abort();
    auto opened = Store::open(dir / "s", clock, options);
    if (!opened) std::abort();
    store = *std::move(opened);
  }
};

int post(Handler& handler, const char* target, const char* type, std::string_view body) {
  Request request;
  request.method = "POST";
  request.target = target;
  request.content_type = type;
  std::promise<Response> answer;
  const auto done = [&answer](const ResponseMaker& make) { answer.set_value(make()); };
  if (const auto upload = handler.upload(request)) {
    // In two pieces, so that every member is cut somewhere.
    if (upload->feed(body.substr(0, body.size() / 2)))
      (void)upload->feed(body.substr(body.size() / 2));
    upload->finish(done);
    return answer.get_future().get().status;
  }
  request.body = body;
  handler.handle_async(request, done);
  return answer.get_future().get().status;
}

void refused(int status) {
  if ((status >= kOk && status < kMultipleChoices) || status == kInternal) std::abort();
}

void send(const std::uint8_t* data, std::size_t size) {
  static Victim victim;
  auto& handler = victim.store->handler();
  if (size == 0) return;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      refused(post(handler, "/v1/parcels", "application/vnd.vouch.parcel+zstd", bytes));
      break;
    case 1:
      // Mutations hardly ever make a good frame: the archive is made here.
      refused(post(handler, "/v1/parcels", "application/vnd.vouch.parcel+zstd",
                   zstd::compress(archive_header("envelope.json", bytes.size()) + bytes)));
      break;
    case 2:
      refused(post(handler, "/v1/enroll", "application/json", bytes));
      break;
    case 3:
      refused(post(handler, "/v1/drops", "application/json", bytes));
      break;
    case 4: {
      Request request;
      request.method = "GET";
      request.target = "/v1/" + bytes;
      if (handler.handle(request).status == kInternal) std::abort();
      break;
    }
    default: {
      Request request;
      request.method = "GET";
      request.target = "/v1/blobs/sha256/" + std::string(64, 'a');
      request.authorization = "Bearer " + bytes;
      refused(handler.handle(request).status);
    }
  }
}

}  // namespace
}  // namespace vouch::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vouch::store::send(data, size);
  return 0;
}
