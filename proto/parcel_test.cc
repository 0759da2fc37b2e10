// SPDX-License-Identifier: Apache-2.0
#include "proto/parcel.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/zstd.h"
#include "proto/archive_header.h"
#include "proto/dsse.h"
#include "proto/limits.h"
#include "proto/signing_key.h"

using namespace vouch;

namespace {

ParcelBlob blob(std::string bytes) {
  return {sha256_hex(bytes), std::move(bytes)};
}

std::string member(std::string_view name, std::string_view bytes) {
  auto text = archive_header(name, bytes.size()) + std::string(bytes);
  return text.append(archive_padding(bytes.size()), '\0');
}

std::string blob_member(std::string_view bytes) {
  return member("blobs/" + sha256_hex(bytes), bytes);
}

const std::string kEnvelope = member("envelope.json", "{}");
const std::string kEnd(1024, '\0');

// Sets the checksum again after a header was changed.
std::string summed(std::string header) {
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(header[i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  return header.replace(148, 7, std::string(text, 7));
}

std::string changed(std::size_t offset, std::string_view bytes) {
  auto text = kEnvelope;
  return summed(text.replace(offset, bytes.size(), bytes)) + kEnd;
}

class Recorder final : public ParcelSink {
 public:
  Status envelope(std::string_view bytes) override {
    calls += "envelope(" + std::string(bytes) + ") ";
    return refuse_envelope ? Status(Error{Errc::denied, "bad signature"}) : Status(Ok{});
  }
  Status blob_begin(std::string_view, std::size_t size_bytes) override {
    calls += "begin(" + std::to_string(size_bytes) + ") ";
    return refuse_blob ? Status(Error{Errc::denied, "no subject"}) : Status(Ok{});
  }
  Status blob_bytes(std::string_view bytes) override {
    received += bytes;
    return Ok{};
  }
  Status blob_end() override {
    calls += "end ";
    return Ok{};
  }
  std::string calls, received;
  bool refuse_envelope = false, refuse_blob = false;
};

ParcelFault fault_of(std::string_view parcel, std::size_t step = SIZE_MAX) {
  Recorder sink;
  ParcelReader reader(sink);
  Status status = Ok{};
  while (!parcel.empty() && status) {
    const auto piece = parcel.substr(0, step);
    parcel.remove_prefix(piece.size());
    status = reader.feed(piece);
  }
  if (status) status = reader.finish();
  CHECK(status.has_value() == (reader.fault().kind == ParcelFault::Kind::none));
  return reader.fault();
}

std::string frame(std::string_view archive) {
  return zstd::compress(archive);
}

}  // namespace

TEST_CASE("the archive of the published envelope and table is byte for byte what tar makes",
          "[parcel]") {
  const auto key = SigningKey::from_ed25519_seed(
      *hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  const auto envelope = dsse::write(*dsse::sign(*key, "{}"));
  const std::string rows =
      "{\"expires\":\"2026-12-31T00:00:00Z\",\"login_shell\":true,\"uid\":1000,"
      "\"username\":\"zoë\"}\n"
      "{\"expires\":null,\"login_shell\":false,\"uid\":\"9007199254740993\",\"username\":\"big\"}\n"
      "{\"expires\":null,\"login_shell\":true,\"uid\":0,\"username\":\"root\"}\n";
  const auto archive = write_archive(envelope, {blob(rows), blob("")});

  REQUIRE(archive);
  CHECK(archive->size() == 3072);
  CHECK(sha256_hex(*archive) == "86a1b32ceef70a0efea78779f086c19ba9b799dff9eb6ee0f6a3e9bb945d75c3");
}

TEST_CASE("a parcel reads back as it was written, in pieces of any size", "[parcel]") {
  const std::string large(200'000, 'x');
  const auto parcel = write_parcel("{}", {blob("a"), blob(std::string(512, 'b')), blob(large)});
  REQUIRE(parcel);

  const auto read = read_parcel(*parcel);
  REQUIRE(read);
  CHECK(read->envelope == "{}");
  REQUIRE(read->blobs.size() == 3);
  CHECK(std::ranges::is_sorted(read->blobs, {}, &ParcelBlob::sha256));
  for (const auto& each : read->blobs) CHECK(sha256_hex(each.bytes) == each.sha256);
  const auto step = GENERATE(as<std::size_t>{}, 1, 511, 100'000);
  CHECK(fault_of(*parcel, step).kind == ParcelFault::Kind::none);
  CHECK(read_parcel(*write_parcel("{}", {}))->blobs.empty());
}

TEST_CASE("the envelope is handed out before anything else is looked at", "[parcel]") {
  Recorder sink;
  ParcelReader reader(sink);
  sink.refuse_envelope = true;
  const auto status = reader.feed(*write_parcel("{}", {blob("a")}));

  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::denied);
  CHECK(sink.calls == "envelope({}) ");
  CHECK(reader.fault().kind == ParcelFault::Kind::sink);
  CHECK_FALSE(reader.feed("x"));
  CHECK_FALSE(reader.finish());
}

TEST_CASE("a blob that the sink refuses is not read", "[parcel]") {
  Recorder sink;
  ParcelReader reader(sink);
  sink.refuse_blob = true;

  CHECK_FALSE(reader.feed(*write_parcel("{}", {blob("a")})));
  CHECK(sink.calls == "envelope({}) begin(1) ");
  CHECK(sink.received.empty());
}

TEST_CASE("a writer refuses what a reader would", "[parcel]") {
  CHECK_FALSE(write_parcel("", {}));
  CHECK_FALSE(write_parcel("{}", {blob("a"), blob("a")}));
  CHECK_FALSE(write_parcel("{}", {{sha256_hex("a"), "b"}}));
  CHECK_FALSE(write_parcel(std::string(kEnvelopeBytesMax + 1, ' '), {}));
  CHECK_FALSE(write_parcel("{}", {blob(std::string(kBlobBytesMax + 1, ' '))}));
}

TEST_CASE("an archive that is not of the form is refused", "[parcel]") {
  std::string a = "a", b = "b";
  if (sha256_hex(a) > sha256_hex(b)) std::swap(a, b);
  const auto big = archive_header("blobs/" + sha256_hex(a), kBlobBytesMax + 1);
  auto swapped = blob_member(a);
  swapped[512] = 'x';
  const std::string x(64, 'x');

  const auto [archive, reason] = GENERATE_COPY(table<std::string, std::string>({
      {"", "stops early"},
      {kEnd, "no envelope"},
      {kEnvelope, "stops early"},
      {kEnvelope + kEnd.substr(512), "stops early"},
      {kEnvelope + kEnd + std::string(512, '\0'), "after the end"},
      {kEnvelope + kEnd + "x", "after the end"},
      {kEnvelope + std::string(512, '\0') + std::string(512, 'x'), "not two"},
      {blob_member(a) + kEnvelope + kEnd, "first"},
      {kEnvelope + kEnvelope + kEnd, "no member"},
      {kEnvelope + blob_member(b) + blob_member(a) + kEnd, "sorted"},
      {kEnvelope + blob_member(a) + blob_member(a) + kEnd, "each once"},
      {kEnvelope + swapped + kEnd, "digest"},
      {kEnvelope + blob_member("") + kEnd, "never sent"},
      {kEnvelope + member("blobs/" + x, a) + kEnd, "digest"},
      {kEnvelope + member("blobs/../" + x.substr(3), a) + kEnd, "digest"},
      {kEnvelope + member("/blobs/" + sha256_hex(a), a) + kEnd, "no member"},
      {kEnvelope + member("./blobs/" + sha256_hex(a), a) + kEnd, "no member"},
      {kEnvelope + member("blobs/", a) + kEnd, "digest"},
      {kEnvelope + big, "blob"},
      {archive_header("envelope.json", kEnvelopeBytesMax + 1), "envelope"},
      {archive_header("envelope.json", 0) + kEnd, "empty"},
      {kEnvelope.substr(0, 514) + std::string(510, 'x') + kEnd, "padding"},
      {changed(136, "00000000001"), "header"},   // mtime 1
      {changed(124, "          2"), "header"},   // padded with spaces
      {changed(124, "00000000002 "), "header"},  // ended by a space
      {changed(100, "0000755"), "header"},       // mode
      {changed(108, "0000001"), "header"},       // uid
      {changed(156, "1"), "header"},             // a hard link
      {changed(156, "2"), "header"},             // a symbolic link
      {changed(156, "5"), "header"},             // a directory
      {changed(156, "x"), "header"},             // pax
      {changed(156, "L"), "header"},             // GNU
      {changed(156, std::string(1, '\0')), "header"},
      {changed(157, "/etc/passwd"), "header"},  // linkname
      {changed(257, "ustar  "), "header"},      // GNU magic
      {changed(265, "root"), "header"},         // uname
      {changed(345, "dir"), "header"},          // prefix
      {changed(500, "x"), "header"},
      {changed(50, "x"), "header"},  // after the name's NUL
      {changed(0, std::string(13, '\0')), "header"},
      {[] {
         auto text = kEnvelope + kEnd;
         text[148] = '7';
         return text;
       }(),
       "header"},
  }));
  CAPTURE(reason);
  const auto fault = fault_of(frame(archive));

  CHECK(fault.kind != ParcelFault::Kind::none);
  CHECK_THAT(fault.reason, Catch::Contains(reason));
  CHECK(fault_of(frame(archive), 100).reason == fault.reason);
}

TEST_CASE("what is too large is told apart from what is wrong", "[parcel]") {
  CHECK(fault_of(frame(archive_header("envelope.json", kEnvelopeBytesMax + 1))).kind ==
        ParcelFault::Kind::too_large);
  std::string many = kEnvelope;
  std::vector<std::string> members;
  for (int i = 0; i < 1025; ++i) members.push_back(std::to_string(i));
  std::ranges::sort(members, {}, [](const auto& text) { return sha256_hex(text); });
  for (const auto& text : members) many += blob_member(text);
  CHECK(fault_of(frame(many + kEnd)).kind == ParcelFault::Kind::too_large);
  const auto wrong = fault_of(frame(kEnvelope + member("blobs/" + sha256_hex("a"), "b") + kEnd));
  CHECK(wrong.kind == ParcelFault::Kind::bad_blob);
  CHECK(wrong.member == sha256_hex("a"));
}

TEST_CASE("anything but exactly one plain frame is refused", "[parcel]") {
  const auto good = frame(kEnvelope + kEnd);
  REQUIRE(fault_of(good).kind == ParcelFault::Kind::none);
  const std::string skippable("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9);

  const auto bad = GENERATE_COPY(as<std::string>{}, "", good + good, good + skippable,
                                 skippable + good, good + "x", good.substr(0, good.size() - 1),
                                 kEnvelope + kEnd, frame(kEnvelope) + frame(kEnd));
  CHECK(fault_of(bad).kind == ParcelFault::Kind::malformed);
  CHECK(fault_of(bad, 1).kind == ParcelFault::Kind::malformed);
}

TEST_CASE("a bomb is refused where its envelope should begin", "[parcel]") {
  const auto bomb = frame(std::string(64 * kMiB, '\0') + kEnd);
  REQUIRE(bomb.size() < 64 * kKiB);

  CHECK(fault_of(bomb).reason == "no envelope");
}
