// SPDX-License-Identifier: Apache-2.0
// Tokens of a real authority, which tests/local_tsa.sh makes with openssl.
#include "proto/verify/time_stamp.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "core/file.h"
#include "core/process.h"
#include "proto/verify/store_fixture_test.h"
#include "source_dir.h"

namespace vouch::verify {
namespace {

// An authority's answers over one text, gone at the end.
class Authority {
 public:
  explicit Authority(const std::string& text) {
    std::string path = (std::filesystem::temp_directory_path() / "local-tsa-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
    std::ofstream(path_ + "/text", std::ios::binary) << text;
    Command command;
    command.argv = {"/bin/bash", VOUCH_SOURCE_DIR "/tests/local_tsa.sh", path_, path_ + "/text"};
    command.environment = default_environment();
    command.deadline = std::chrono::milliseconds(60000);
    const auto exit = run_process(command);
    REQUIRE(exit);
    INFO(exit->standard_error);
    REQUIRE(exit->code == 0);
  }
  ~Authority() { std::filesystem::remove_all(path_); }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const {
    const auto bytes = read_file(path_ + "/" + name, kTimeStampBytesMax);
    REQUIRE(bytes);
    return *bytes;
  }
  [[nodiscard]] TimeStampRoots roots(const std::string& name = "ca.pem") const {
    auto roots = TimeStampRoots::from_pem(file(name));
    REQUIRE(roots);
    return *std::move(roots);
  }

 private:
  std::string path_;
};

const std::string kText =
    "store.example.com/log1\n2\n2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=\n";

}  // namespace

TEST_CASE("a token over the text by a trusted authority holds, with its time", "[time-stamp]") {
  const Authority authority(kText);
  const auto before = SystemClock().wall_ms() / 1000 - 60;

  const auto stamp = check_time_stamp(authority.file("good.tsr"), kText, authority.roots());

  if (!stamp) FAIL(stamp.error().message);
  CHECK(stamp->time >= before);
  CHECK(stamp->time <= before + 120);
  CHECK(stamp->authority == "CN=tsa");
  CHECK(format_second(stamp->valid_until) == "2099-12-31T23:59:59Z");
}

TEST_CASE("a token is refused for what is wrong with it", "[time-stamp]") {
  const Authority authority(kText);
  const auto refused = [&](const std::string& token, const TimeStampRoots& roots) {
    const auto stamp = check_time_stamp(token, kText, roots);
    return stamp ? std::string("accepted") : stamp.error().message;
  };
  const auto roots = authority.roots();
  const auto good = authority.file("good.tsr");
  CHECK_THAT(refused(authority.file("other-text.tsr"), roots), Catch::Contains("another text"));
  CHECK_THAT(refused(authority.file("sha1.tsr"), roots), Catch::Contains("is not SHA-256"));
  CHECK_THAT(refused(authority.file("expired.tsr"), roots), Catch::Contains("has expired"));
  CHECK_THAT(refused(authority.file("no-certificate.tsr"), roots), !Catch::Equals("accepted"));
  CHECK_THAT(refused(good, authority.roots("other-ca.pem")),
             Catch::Contains("certificate verify error"));
  CHECK_THAT(refused(good + "x", roots), Catch::Contains("bytes after"));
  CHECK_THAT(refused(good.substr(0, good.size() - 1), roots), Catch::Contains("no time stamp"));
  CHECK_THAT(refused("", roots), Catch::Contains("no time stamp"));
}

TEST_CASE("no flipped bit of a token is accepted with another content", "[time-stamp]") {
  const Authority authority(kText);
  const auto roots = authority.roots();
  const auto good = authority.file("good.tsr");
  const auto stamp = *check_time_stamp(good, kText, roots);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto changed = good;
    changed[i] ^= 1;
    const auto other = check_time_stamp(changed, kText, roots);
    // Some bytes of the envelope say nothing: versions, unused parameters, the status text.
    if (other) CHECK(other->time == stamp.time);
  }
}

TEST_CASE("roots are PEM certificates, and there is one", "[time-stamp]") {
  const Authority authority(kText);
  CHECK(TimeStampRoots::from_pem(authority.file("ca.pem") + authority.file("other-ca.pem")));
  CHECK_FALSE(TimeStampRoots::from_pem(""));
  CHECK_FALSE(TimeStampRoots::from_pem("x"));
  CHECK_FALSE(TimeStampRoots::from_pem(authority.file("ca.key")));
  auto broken = authority.file("ca.pem");
  broken[broken.size() / 2] = '!';
  CHECK_FALSE(TimeStampRoots::from_pem(broken));
}

TEST_CASE("time stamps of a store's checkpoints are checked with the roots given", "[time-stamp]") {
  StoreFixture store;
  for (int i = 0; i < 4; ++i) store.seal();
  store.publish();
  const Authority authority(checkpoint::write_text(store.log.head()));
  const auto roots = authority.roots();
  auto options = store.options();
  options.time_stamp_roots = &roots;
  auto& token = store.files.files["checkpoints/6.tsr"];

  SECTION("good") {
    token = authority.file("good.tsr");
    const auto verdict = verify_store(store.files, options);
    INFO(write_text(verdict));
    CHECK(verdict.verified());
    REQUIRE(verdict.time_stamps.size() == 1);
    CHECK(verdict.time_stamps.front().where == "checkpoints/6.tsr");
    CHECK(verdict.counts.anomalies == 0);
    CHECK_THAT(write_text(verdict), Catch::Contains("time stamp checkpoints/6.tsr"));
  }
  SECTION("without roots it is reported as not checked") {
    token = authority.file("good.tsr");
    options.time_stamp_roots = nullptr;
    const auto verdict = verify_store(store.files, options);
    CHECK(verdict.verified());
    CHECK(verdict.time_stamps.empty());
    CHECK_THAT(write_text(verdict), Catch::Contains("NOT CHECKED: 1 time stamp"));
    CHECK(json::write(to_json(verdict)).find("1 time stamp") != std::string::npos);
  }
  SECTION("bad") {
    const auto name = GENERATE(as<std::string>{}, "other-text.tsr", "expired.tsr", "sha1.tsr");
    token = authority.file(name);
    const auto verdict = verify_store(store.files, options);
    CHECK(reason_of(verdict) == "time-stamp");
    CHECK(where_of(verdict) == "checkpoints/6.tsr");
  }
  SECTION("of a checkpoint that is not there") {
    store.files.files["checkpoints/5.tsr"] = authority.file("good.tsr");
    token = authority.file("good.tsr");
    CHECK(where_of(verify_store(store.files, options)) == "checkpoints/5.tsr");
  }
}

TEST_CASE("a log whose clock runs ahead of a time stamp shows", "[time-stamp]") {
  StoreFixture store;
  store.at += WallMs{100} * 365 * 86400 * 1000;
  store.seal();
  store.publish();
  const Authority authority(checkpoint::write_text(store.log.head()));
  const auto roots = authority.roots();
  store.files.files["checkpoints/3.tsr"] = authority.file("good.tsr");
  auto options = store.options();
  options.time_stamp_roots = &roots;

  const auto verdict = verify_store(store.files, options);

  CHECK_THAT(write_text(verdict), Catch::Contains("the log's clock"));
}

}  // namespace vouch::verify
