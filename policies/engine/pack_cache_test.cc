// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/pack_cache.h"

#include <catch2/catch.hpp>
#include <map>

#include "core/file.h"
#include "source_dir.h"

namespace vouch::policy {
namespace {

const std::string kPacks = std::string(VOUCH_SOURCE_DIR) + "/policies/packs";

class MemoryCache final : public PackCache {
 public:
  std::optional<std::string> find(std::string_view digest) override {
    const auto found = forms.find(digest);
    if (found == forms.end()) return std::nullopt;
    ++hits;
    return found->second;
  }
  void keep(std::string_view digest, std::string_view form) override {
    forms[std::string(digest)] = form;
  }
  std::map<std::string, std::string, std::less<>> forms;
  int hits = 0;
};

}  // namespace

TEST_CASE("a pack read from the cache is the pack without its tests", "[pack_cache]") {
  MemoryCache cache;
  auto plain = load_pack_set({kPacks});
  auto first = load_pack_set_cached({kPacks}, cache);
  auto second = load_pack_set_cached({kPacks}, cache);

  REQUIRE(plain);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(cache.hits == static_cast<int>(plain->packs().size()));
  for (const auto* set : {&*first, &*second}) {
    CHECK(set->set_blob() == plain->set_blob());
    REQUIRE(set->packs().size() == plain->packs().size());
    for (std::size_t i = 0; i < plain->packs().size(); ++i) {
      CHECK(set->packs()[i].text == plain->packs()[i].text);
      CHECK(set->packs()[i].file_name == plain->packs()[i].file_name);
      CHECK(write_pack_form(set->packs()[i]) == write_pack_form(plain->packs()[i]));
    }
    for (const auto* check : set->checks()) CHECK(check->tests.empty());
  }
}

TEST_CASE("the kept form holds each field of a pack", "[pack_cache]") {
  const std::string text =
      "pack: p\ntitle: T\ncontrols:\n  - id: c\n    title: Ct\n    owner: o\n    frequency_s: 61\n"
      "    checks:\n      - id: c.k\n        title: Kt\n        ref: AB-123\n"
      "        severity: critical\n        rationale: why\n        remediation: how\n"
      "        tables: [t, u]\n        applies: SELECT 1\n"
      "        params: { n: 5, list: [a, 1, true], b: false }\n"
      "        sql: SELECT 2\n        tolerates_gaps: true\n"
      "overrides:\n  - { check: c.k, params: { n: 6 }, why: because }\n";
  auto pack = load_pack(text, "p.yaml");
  if (!pack) FAIL(pack.error().message);

  auto read = read_pack_form(write_pack_form(*pack), text, "p.yaml");

  REQUIRE(read);
  const auto& control = read->controls.at(0);
  const auto& check = control.checks.at(0);
  const auto& original = pack->controls[0].checks[0];
  CHECK(read->digest == pack->digest);
  CHECK(read->title == "T");
  CHECK(control.owner == "o");
  CHECK(control.frequency_s == 61);
  CHECK(control.mark.line == pack->controls[0].mark.line);
  CHECK(check.control == "c");
  CHECK(check.ref == "AB-123");
  CHECK(check.severity == Severity::critical);
  CHECK(check.rationale == "why");
  CHECK(check.remediation == "how");
  CHECK(check.tables == std::vector<std::string>{"t", "u"});
  CHECK(check.applies == original.applies);
  CHECK(check.sql == original.sql);
  CHECK(check.params == original.params);
  CHECK(check.default_params == original.default_params);
  CHECK(check.tolerates_gaps);
  CHECK(check.sql_mark.line == original.sql_mark.line);
  CHECK(check.applies_mark.column == original.applies_mark.column);
  CHECK(read->overrides.at(0).params == pack->overrides[0].params);
  CHECK(read->overrides[0].why == "because");
}

TEST_CASE("a damaged form is not believed: the pack is read again", "[pack_cache]") {
  const auto damaged = GENERATE(as<std::string>{}, "", "{}", "[1]", R"({"id":"x"})",
                                R"({"id":1,"title":"","controls":[],"overrides":[]})",
                                R"({"id":"x","title":"","controls":[{}],"overrides":[]})");
  CAPTURE(damaged);
  MemoryCache cache;
  REQUIRE(load_pack_set_cached({kPacks}, cache));
  for (auto& [digest, form] : cache.forms) form = damaged;

  CHECK_FALSE(read_pack_form(damaged, "", ""));
  auto again = load_pack_set_cached({kPacks}, cache);

  REQUIRE(again);
  CHECK_FALSE(again->checks().empty());
  for (const auto& [digest, form] : cache.forms) CHECK(form != damaged);
}

}  // namespace vouch::policy
