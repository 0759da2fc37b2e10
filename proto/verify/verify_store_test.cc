// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "proto/verify/store_fixture_test.h"

namespace vouch::verify {
namespace {

constexpr std::uint64_t kClaimedSize = std::uint64_t{1} << 62;

StoreFixture honest(int bundles = 4) {
  StoreFixture store;
  for (int i = 0; i < bundles; ++i) store.seal();
  store.publish();
  return store;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("an honest store verifies, with all that was counted", "[verify]") {
  auto store = honest();
  const auto verdict = store.verify();

  INFO(write_text(verdict));
  REQUIRE(verdict.verified());
  CHECK_FALSE(verdict.anchors_from_export);
  CHECK(verdict.checkpoint->size == 6);
  CHECK(verdict.counts.leaves == 6);
  CHECK(verdict.counts.bundles == 4);
  CHECK(verdict.counts.records == 8);
  CHECK(verdict.counts.anomalies == 0);
  REQUIRE(verdict.hosts.size() == 1);
  const auto& host = verdict.hosts.front();
  CHECK(host.name == "web-01");
  CHECK(host.coverage.expected == 8);
  CHECK(host.coverage.observed == 8);
  CHECK(host.coverage.verdict() == "COMPLETE");
  CHECK(host.controls.at("a").pass == 8);
  CHECK(host.controls.at("a").fail == 8);
  CHECK_THAT(write_text(verdict), Catch::StartsWith("VERIFIED"));
  CHECK(json::write(to_json(verdict)).find(R"("verdict":"VERIFIED")") != std::string::npos);
}

TEST_CASE("without a policy from outside, the verdict says so", "[verify]") {
  auto store = honest();
  auto options = store.options();
  options.policy.reset();

  const auto verdict = verify_store(store.files, options);

  CHECK(verdict.verified());
  CHECK(verdict.anchors_from_export);
  CHECK_THAT(write_text(verdict), Catch::Contains("ANCHORS FROM EXPORT"));
}

TEST_CASE("a log of more than one tile verifies on one thread and on two", "[verify]") {
  auto store = honest(300);
  auto options = store.options();
  options.threads = GENERATE(1u, 2u);

  const auto verdict = verify_store(store.files, options);

  INFO(write_text(verdict).substr(0, 1000));
  CHECK(verdict.verified());
  CHECK(verdict.counts.bundles == 300);
}

TEST_CASE("each part that is tampered with at rest fails for its reason", "[verify]") {
  auto store = honest();
  auto& files = store.files.files;
  const auto& envelope = store.envelopes[2];
  std::string reason;

  SECTION("a byte of the payload") {
    const auto parsed = *dsse::parse(envelope);
    auto changed = parsed;
    changed.payload = replaced(parsed.payload, "web-01", "web-02");
    store.rewrite(2, dsse::write(changed));
    reason = "bundle-id";
  }
  SECTION("the signature") {
    auto changed = *dsse::parse(envelope);
    changed.signature[5] ^= 1;
    store.rewrite(2, dsse::write(changed));
    reason = "signature";
  }
  SECTION("the key id") {
    auto changed = *dsse::parse(envelope);
    changed.keyid = store.log.key.keyid();
    store.rewrite(2, dsse::write(changed));
    reason = "keyid";
  }
  SECTION("a second signature") {
    const auto object = *json::parse(envelope)->if_object();
    auto changed = object;
    auto& list = *changed["signatures"].if_array();
    list.push_back(list.front());
    store.rewrite(2, json::write(changed));
    reason = "envelope";
  }
  SECTION("no signature") {
    auto changed = *json::parse(envelope)->if_object();
    changed["signatures"].if_array()->clear();
    store.rewrite(2, json::write(changed));
    reason = "envelope";
  }
  SECTION("bytes after the frame") {
    files[StoreFixture::bundle_path(2)] += "x";
    reason = "envelope";
  }
  SECTION("the bundle is gone") {
    files.erase(StoreFixture::bundle_path(2));
    reason = "missing-bundle";
  }
  SECTION("another bundle in its place") {
    store.rewrite(2, store.envelopes[1]);
    reason = "bundle-id";
  }
  const auto verdict = verify_store(store.files, store.options());
  CHECK_FALSE(verdict.verified());
  CHECK(reason_of(verdict) == reason);
  CHECK(where_of(verdict) == kAgent + "/2");
  CHECK_THAT(write_text(verdict), Catch::StartsWith("FAILED"));
}

TEST_CASE("an export that claims an endless log fails at its first missing entry", "[verify]") {
  StoreFixture store;
  store.publish();
  const checkpoint::Checkpoint head{store.log.vkey.name, kClaimedSize, store.log.head().root};
  store.files.files["checkpoint"] = *checkpoint::sign(head, store.log.vkey, store.log.key);
  auto options = store.options();
  options.policy.reset();  // Whoever wrote the export signs what they like.

  CHECK(reason_of(verify_store(store.files, options)) == "entries");
}

TEST_CASE("names in an export cannot drive the reader's terminal", "[verify]") {
  auto store = honest();
  store.files.files["checkpoints/\x1b[2J\x1b[H\nVERIFIED the whole log"] = "x";

  const auto text = write_text(verify_store(store.files, store.options()));

  CHECK_THAT(text, Catch::StartsWith("FAILED"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\nVERIFIED") == std::string::npos);
}

TEST_CASE("each damaged file of the log fails for its reason", "[verify]") {
  auto store = honest();
  auto& files = store.files.files;
  std::string reason;
  std::string where;

  SECTION("an entry") {
    auto& entries = files.at("tile/entries/000.p/6");
    entries[entries.size() - 200] ^= 1;
    reason = "entries";
    where = "tile/entries/000.p/6";
  }
  SECTION("entries swapped") {
    auto entries = store.log.entries;
    std::swap(entries[2], entries[3]);
    files["tile/entries/000.p/6"] = tile::write_entries(entries);
    reason = "entries";
    where = "tile/entries/000.p/6";
  }
  SECTION("entries and tile changed together") {
    store.log.entries.back() = store.log.entries.front();
    auto [next, growth] =
        tile::Appender::open(nullptr, 0, merkle::empty_root())->append(store.log.entries);
    for (auto& file : growth.files) files[file.path] = file.bytes;
    reason = "entries";
    where = "checkpoint";
  }
  SECTION("entries gone") {
    files.erase("tile/entries/000.p/6");
    reason = "entries";
    where = "tile/entries/000.p/6";
  }
  SECTION("a tile") {
    files.at("tile/0/000.p/6")[40] ^= 1;
    reason = "tile";
    where = "tile/0/000.p/6";
  }
  SECTION("a tile gone") {
    files.erase("tile/0/000.p/6");
    reason = "tile";
    where = "tile/0/000.p/6";
  }
  SECTION("the checkpoint's size") {
    files["checkpoint"] = replaced(files["checkpoint"], "\n6\n", "\n5\n");
    reason = "checkpoint-signature";
    where = "checkpoint";
  }
  SECTION("the checkpoint's signature") {
    auto& note = files["checkpoint"];
    note[note.size() - 12] = note[note.size() - 12] == 'A' ? 'B' : 'A';
    reason = "checkpoint-signature";
    where = "checkpoint";
  }
  SECTION("the checkpoint with CRLF") {
    files["checkpoint"] = replaced(files["checkpoint"], "\n6\n", "\r\n6\r\n");
    reason = "checkpoint";
    where = "checkpoint";
  }
  SECTION("no checkpoint") {
    files.erase("checkpoint");
    reason = "checkpoint";
    where = "checkpoint";
  }
  SECTION("an older checkpoint in place of the newest") {
    files["checkpoint"] = store.log.signed_head(5);
    reason = "rollback";
    where = "checkpoints/6";
  }
  SECTION("another tree was signed at an earlier size") {
    auto twin = store.log.twin();
    twin.entries[2] = twin.entries[1];
    files["checkpoints/4"] = twin.signed_head(4);
    reason = "log-fork";
    where = "checkpoints/4";
  }
  SECTION("an earlier log that this one does not succeed") {
    files["logs/log0/checkpoint"] = "x";
    reason = "succession";
    where = "logs/log0";
  }
  const auto verdict = verify_store(store.files, store.options());
  CHECK(reason_of(verdict) == reason);
  CHECK(where_of(verdict) == where);
  CHECK(verdict.counts.bundles == 0);  // Nothing of an unverified log is counted.
}

TEST_CASE("an anchor that is not the log's refuses everything", "[verify]") {
  auto store = honest();
  auto options = store.options();
  SECTION("another key of the same name") {
    const auto other = *note::make_vkey(test::kOrigin, note::KeyType::log, store.key);
    options.policy = "log " + note::write_vkey(other) + "\nquorum none\n";
    CHECK(reason_of(verify_store(store.files, options)) == "checkpoint-signature");
  }
  SECTION("another log") {
    const auto other = *note::make_vkey("elsewhere", note::KeyType::log, store.log.key);
    options.policy = "log " + note::write_vkey(other) + "\nquorum none\n";
    CHECK(reason_of(verify_store(store.files, options)) == "origin");
  }
  SECTION("a quorum that nobody met") {
    const auto witness = *note::make_vkey("w", note::KeyType::cosignature, store.key);
    options.policy = store.store_policy.substr(0, store.store_policy.find("quorum")) +
                     "witness w " + note::write_vkey(witness) + "\nquorum w\n";
    CHECK(reason_of(verify_store(store.files, options)) == "quorum");
  }
  SECTION("no policy at all") {
    options.policy = "log x\n";
    CHECK(reason_of(verify_store(store.files, options)) == "policy");
  }
}

TEST_CASE("blobs must be there and be themselves", "[verify]") {
  auto store = honest();
  auto& files = store.files.files;
  const auto digest = sha256_hex("{\"uid\":4,\"username\":\"root\"}\n");
  const auto path = "blobs/sha256/" + digest.substr(0, 2) + "/" + digest;
  REQUIRE(files.contains(path + ".zst"));

  SECTION("a byte changed") {
    files[path + ".zst"] = zstd::compress("{\"uid\":5,\"username\":\"root\"}\n");
    const auto verdict = verify_store(store.files, store.options());
    CHECK(reason_of(verdict) == "blob");
    CHECK(where_of(verdict) == kAgent + "/2");
  }
  SECTION("gone") {
    files.erase(path + ".zst");
    CHECK(reason_of(verify_store(store.files, store.options())) == "missing-blob");
  }
  SECTION("raw instead of compressed is fine") {
    files.erase(path + ".zst");
    files[path] = store.blobs[digest];
    CHECK(verify_store(store.files, store.options()).verified());
  }
  SECTION("not a frame") {
    files[path + ".zst"] = "nonsense";
    CHECK(reason_of(verify_store(store.files, store.options())) == "blob");
  }
  SECTION("purged by a leaf") {
    files.erase(path + ".zst");
    store.append(leaf::Purge{store.put(digest + "\n"), 1, "retention/1y", "local"});
    const auto verdict = store.verify();
    CHECK(verdict.verified());
    CHECK(verdict.counts.purged == 1);
  }
  SECTION("purged, and counted once for all bundles that had it") {
    // The findings are the same in each of the four bundles.
    const auto findings = sha256_hex("{\"username\":\"root\"}\n");
    files.erase("blobs/sha256/" + findings.substr(0, 2) + "/" + findings + ".zst");
    store.append(leaf::Purge{store.put(findings + "\n"), 1, "retention/1y", "local"});
    const auto verdict = store.verify();
    CHECK(verdict.verified());
    CHECK(verdict.counts.purged == 1);
  }
  SECTION("purged by a leaf, and still there") {
    store.append(leaf::Purge{store.put(digest + "\n"), 1, "retention/1y", "local"});
    const auto verdict = store.verify();
    CHECK(verdict.verified());
    CHECK(verdict.counts.purged == 0);
    REQUIRE(verdict.anomalies.size() == 1);
    CHECK_THAT(verdict.anomalies.front().what, Catch::Contains("is still there"));
  }
  SECTION("a manifest that is not sorted") {
    files.erase(path + ".zst");
    const auto low = std::string(64, '0') + "\n";
    store.append(leaf::Purge{store.put(digest + "\n" + low), 2, "retention/1y", "local"});
    CHECK(reason_of(store.verify()) == "purge");
  }
  SECTION("a manifest of another count") {
    files.erase(path + ".zst");
    store.append(leaf::Purge{store.put(digest + "\n"), 2, "retention/1y", "local"});
    CHECK(reason_of(store.verify()) == "purge");
  }
  SECTION("a purge of something else does not excuse it") {
    files.erase(path + ".zst");
    store.append(leaf::Purge{store.put(std::string(64, '0') + "\n"), 1, "retention/1y", "local"});
    CHECK(reason_of(store.verify()) == "missing-blob");
  }
  SECTION("dropped in the name of an operator") {
    files.erase(path + ".zst");
    store.append(leaf::Drop{kAgent, 2, std::nullopt, "local"});
    const auto verdict = store.verify();
    CHECK(verdict.verified());
    CHECK(verdict.counts.dropped == 1);
  }
  SECTION("a drop of another bundle does not excuse it") {
    files.erase(path + ".zst");
    store.append(leaf::Drop{kAgent, 1, std::nullopt, "local"});
    CHECK(reason_of(store.verify()) == "missing-blob");
  }
}

TEST_CASE("a signed drop notice excuses exactly what it names", "[verify]") {
  auto store = honest();
  const auto digest = sha256_hex("{\"uid\":4,\"username\":\"root\"}\n");
  store.files.files.erase("blobs/sha256/" + digest.substr(0, 2) + "/" + digest + ".zst");
  const auto notice = [&](const std::string& lost, std::int64_t seq, const SigningKey& key) {
    const auto payload =
        R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"agent":")" + kAgent +
        R"(","by":"root","reason":"disk","seq":)" + std::to_string(seq) +
        R"(},"predicateType":"urn:vouch:drop-notice:v1","subject":[{"digest":{"sha256":")" + lost +
        R"("},"name":"table/users"}]})";
    const auto envelope = *dsse::sign(key, payload);
    const auto id = dsse::bundle_id(envelope);
    store.files.files["statements/" + id + ".json"] = dsse::write(envelope);
    store.append(leaf::Drop{kAgent, 2, id, std::nullopt});
  };
  SECTION("the lost blob") {
    notice(digest, 2, store.key);
    CHECK(reason_of(store.verify()) == "");
  }
  SECTION("another blob") {
    notice(std::string(64, '0'), 2, store.key);
    CHECK(reason_of(store.verify()) == "missing-blob");
  }
  SECTION("another bundle") {
    notice(digest, 1, store.key);
    CHECK(reason_of(store.verify()) == "drop");
  }
  SECTION("another signer") {
    notice(digest, 2, store.log.key);
    CHECK(reason_of(store.verify()) == "drop");
  }
}

}  // namespace vouch::verify
