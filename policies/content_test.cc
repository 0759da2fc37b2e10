// SPDX-License-Identifier: Apache-2.0
// The content that ships: frameworks, crosswalks, mappings and packs, as the engine loads them, and
// the pages that list them. Counts are those of the catalogues; a change of one is a decision.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/file.h"
#include "policies/engine/catalog.h"
#include "policies/engine/framework.h"
#include "policies/engine/pack.h"
#include "policies/engine/policy_test.h"
#include "policies/engine/register.h"
#include "policies/engine/sandbox.h"
#include "source_dir.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kPageBytesMax = 4u << 20;
const std::string kTree = VOUCH_SOURCE_DIR;

std::string page(const std::string& path) {
  auto text = read_file(kTree + "/" + path, kPageBytesMax);
  REQUIRE(text);
  return *std::move(text);
}

PackSet linux_server() {
  auto packs = load_pack_set({kTree + "/policies/packs/linux-server"});
  if (!packs) FAIL(packs.error().message);
  return *std::move(packs);
}

Catalog catalog() {
  auto loaded = load_catalog(page("policies/tables.yaml"), "policies/tables.yaml");
  if (!loaded) FAIL(loaded.error().message);
  return *std::move(loaded);
}

FrameworkLibrary library() {
  auto loaded = load_framework_library(kTree + "/policies");
  if (!loaded) FAIL(loaded.error().message);
  return *std::move(loaded);
}

std::size_t count_category(const Framework& framework, std::string_view category) {
  return static_cast<std::size_t>(
      std::count_if(framework.criteria.begin(), framework.criteria.end(),
                    [&](const Criterion& criterion) { return criterion.category == category; }));
}

const Crosswalk& crosswalk(const FrameworkLibrary& all, std::string_view from) {
  const auto found =
      std::find_if(all.crosswalks.begin(), all.crosswalks.end(),
                   [&](const Crosswalk& crosswalk) { return crosswalk.from == from; });
  REQUIRE(found != all.crosswalks.end());
  return *found;
}

// The cells of the table rows of a Markdown page whose first cell `matches`.
template <typename Matches>
std::vector<std::vector<std::string>> table_rows(const std::string& text, Matches matches) {
  std::vector<std::vector<std::string>> rows;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("| ")) continue;
    std::vector<std::string> cells;
    line.remove_prefix(2);
    while (!line.empty()) {
      const auto bar = line.find(" |");
      if (bar == std::string_view::npos) break;
      cells.emplace_back(line.substr(0, bar));
      line.remove_prefix(std::min(bar + 3, line.size()));
    }
    if (!cells.empty() && matches(cells.front())) rows.push_back(std::move(cells));
  }
  return rows;
}

bool is_row_id(std::string_view cell) {
  constexpr std::array<std::string_view, 4> kAreas = {"AR-", "PL-", "BK-", "CD-"};
  return cell.size() == 6 && std::any_of(kAreas.begin(), kAreas.end(), [&](std::string_view area) {
           return cell.starts_with(area);
         });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

TEST_CASE("the frameworks have the criteria of their editions", "[content]") {
  const auto all = library();

  CHECK(all.frameworks.size() == 3);
  const auto* soc2 = all.framework("soc2-2017");
  const auto* iso_2022 = all.framework("iso27001-2022");
  const auto* iso_2013 = all.framework("iso27001-2013");
  REQUIRE((soc2 != nullptr && iso_2022 != nullptr && iso_2013 != nullptr));
  CHECK(soc2->criteria.size() == 61);
  CHECK(count_category(*soc2, "common") == 33);
  CHECK(count_category(*soc2, "availability") == 3);
  CHECK(count_category(*soc2, "confidentiality") == 2);
  CHECK(count_category(*soc2, "processing-integrity") == 5);
  CHECK(count_category(*soc2, "privacy") == 18);
  CHECK(iso_2022->criteria.size() == 30 + 93);
  CHECK(count_category(*iso_2022, "clause") == 30);
  CHECK(count_category(*iso_2022, "organizational") == 37);
  CHECK(count_category(*iso_2022, "people") == 8);
  CHECK(count_category(*iso_2022, "physical") == 14);
  CHECK(count_category(*iso_2022, "technological") == 34);
  CHECK(iso_2013->criteria.size() == 114);
}

TEST_CASE("each criterion has a title, a group and what a host can show of it", "[content]") {
  for (const auto& framework : library().frameworks) {
    std::set<std::string> ids;
    for (const auto& criterion : framework.criteria) {
      CAPTURE(framework.id, criterion.id);
      CHECK(ids.insert(criterion.id).second);
      CHECK(!criterion.title.empty());
      CHECK(!criterion.group.empty());
      CHECK((criterion.host == "direct" || criterion.host == "supporting" ||
             criterion.host == "none"));
    }
  }
}

TEST_CASE("the crosswalks name criteria that exist, each pair once", "[content]") {
  const auto all = library();

  CHECK(all.crosswalks.size() == 2);
  CHECK(crosswalk(all, "soc2-2017").pairs.size() == 417);
  CHECK(crosswalk(all, "iso27001-2013").pairs.size() == 126);
  for (const auto& each : all.crosswalks) {
    const auto* from = all.framework(each.from);
    const auto* to = all.framework(each.to);
    REQUIRE((from != nullptr && to != nullptr));
    std::set<std::pair<std::string, std::string>> pairs;
    for (const auto& pair : each.pairs) {
      CAPTURE(pair.from, pair.to, pair.relation);
      CHECK(pairs.emplace(pair.from, pair.to).second);
      CHECK(to->find(pair.to) != nullptr);
      if (pair.relation == "new") {
        CHECK(pair.from.empty());
      } else {
        CHECK(from->find(pair.from) != nullptr);
      }
      if (each.from == "soc2-2017") CHECK(!pair.sources.empty());
    }
  }
}

TEST_CASE("the transition covers every control of 2013 and marks the eleven new ones",
          "[content]") {
  const auto all = library();
  const auto& pairs = crosswalk(all, "iso27001-2013").pairs;

  std::map<std::string, std::size_t> relations;
  std::set<std::string> from;
  std::set<std::string> to;
  for (const auto& pair : pairs) {
    ++relations[pair.relation];
    if (!pair.from.empty()) from.insert(pair.from);
    to.insert(pair.to);
  }
  CHECK(from.size() == 114);
  CHECK(to.size() == 93);
  CHECK(relations == std::map<std::string, std::size_t>{
                         {"merged", 55}, {"new", 11}, {"renamed", 23}, {"same", 35}, {"split", 2}});
}

TEST_CASE("every control is mapped, or said to be unmapped, in each framework", "[content]") {
  const auto all = library();
  const auto packs = linux_server();

  CHECK(all.mappings.size() == 3);
  for (const auto& framework : all.frameworks) {
    CAPTURE(framework.id);
    const auto* mapping = all.mapping(framework.id);
    REQUIRE(mapping != nullptr);
    for (const auto& problem : check_mapping(*mapping, framework, packs)) FAIL_CHECK(problem);
    std::set<std::string> controls;
    for (const auto& entry : mapping->entries) controls.insert(entry.control);
    for (const auto& pack : packs.packs()) {
      for (const auto& control : pack.controls) {
        CAPTURE(control.id);
        CHECK(controls.count(control.id) == 1);
      }
    }
  }
}

TEST_CASE("a mapping gives its reason and claims nothing that no host can show", "[content]") {
  const auto all = library();
  const auto packs = linux_server();

  for (const auto& mapping : all.mappings) {
    const auto* framework = all.framework(mapping.framework);
    REQUIRE(framework != nullptr);
    for (const auto& entry : mapping.entries) {
      CAPTURE(mapping.framework, entry.control, entry.criterion);
      if (entry.criterion.empty()) {
        CHECK(entry.unmapped.size() >= 20);
        continue;
      }
      CHECK(entry.why.size() >= 20);
      const auto* criterion = framework->find(entry.criterion);
      REQUIRE(criterion != nullptr);
      CHECK(criterion->host != "none");
      // The parameters that ship keep within the bounds that ship.
      const auto* control = packs.find_control(entry.control);
      REQUIRE(control != nullptr);
      CHECK(broken_bound(entry, *control).empty());
    }
  }
}

TEST_CASE("the linux-server packs have checks from each area", "[content]") {
  const auto packs = linux_server();

  std::map<std::string, std::set<std::string>> refs;
  for (const auto* check : packs.checks()) {
    CAPTURE(check->id);
    REQUIRE(is_row_id(check->ref));
    refs[check->ref.substr(0, 2)].insert(check->ref);
  }
  const auto coverage = page("docs/coverage.md");
  const std::vector<std::tuple<std::string, std::string, int>> areas = {
      {"AR", "Access review", 37},
      {"PL", "Patch level", 21},
      {"BK", "Backup jobs", 23},
      {"CD", "Configuration drift", 39}};
  for (const auto& [area, heading, rows] : areas) {
    const auto said = "\n## " + heading + ": " + std::to_string(refs[area].size()) + " of " +
                      std::to_string(rows) + " rows\n";
    CAPTURE(said);
    CHECK(coverage.find(said) != std::string::npos);
  }
}

TEST_CASE("each check tells an operator what it is, why, and what to do", "[content]") {
  const auto packs = linux_server();

  for (const auto* check : packs.checks()) {
    CAPTURE(check->id);
    CHECK(check->title.size() >= 15);
    CHECK(check->rationale.size() >= 20);
    CHECK(check->remediation.size() >= 30);
    const auto* control = packs.find_control(check->control);
    REQUIRE(control != nullptr);
    CHECK(!control->owner.empty());
    CHECK(control->frequency_s <= 7 * 86400);
  }
}

TEST_CASE("each check's SQL keeps the rules and names what it found", "[content]") {
  const auto packs = linux_server();
  const auto tables = catalog();

  for (const auto* check : packs.checks()) {
    CAPTURE(check->id);
    auto sandbox = Sandbox::open();
    REQUIRE(sandbox);
    for (const auto& table : check->tables) {
      const auto* schema = find_schema(tables.tables, table);
      REQUIRE(schema != nullptr);
      auto named = *schema;
      named.name = table;
      REQUIRE(sandbox->add_table(named));
    }
    const auto shape = sandbox->inspect(check->sql, check->tables);
    if (!shape) FAIL(shape.error().message);
    CHECK_FALSE(shape->limit_without_order);
    CHECK(!shape->result_columns.empty());
    if (check->applies.empty()) continue;
    const auto applies = sandbox->inspect(check->applies, check->tables);
    if (!applies) FAIL(applies.error().message);
  }
}

TEST_CASE("each check passes its own tests, and no violation vanishes unsaid", "[content]") {
  const auto report = run_policy_tests(linux_server(), catalog());

  CHECK(report.checks == linux_server().checks().size());
  CHECK(report.tests >= 4 * report.checks);
  CHECK(report.mutations > report.tests);
  for (const auto& problem : report.problems) {
    FAIL_CHECK(problem.where << ": " << problem.check << " (" << problem.ref
                             << "): " << problem.message);
  }
}

TEST_CASE("docs/checks.md lists the checks of the packs", "[content]") {
  const auto packs = linux_server();

  const auto rows = table_rows(page("docs/checks.md"), [](std::string_view cell) {
    return cell.find('.') != std::string_view::npos;
  });

  CHECK(rows.size() == packs.checks().size());
  for (const auto& row : rows) {
    CAPTURE(row.front());
    const auto* check = packs.find_check(row.front());
    REQUIRE(check != nullptr);
    CHECK(row == std::vector<std::string>{check->id, check->ref, check->title,
                                          std::string(to_string(check->severity)),
                                          joined(check->tables)});
  }
}

TEST_CASE("docs/coverage.md has each row of the catalogue with the checks that implement it",
          "[content]") {
  const auto packs = linux_server();
  std::map<std::string, std::vector<std::string>> by_ref;
  for (const auto& pack : packs.packs()) {
    for (const auto& control : pack.controls) {
      for (const auto& check : control.checks) by_ref[check.ref].push_back(check.id);
    }
  }

  const auto rows = table_rows(page("docs/coverage.md"), is_row_id);

  CHECK(rows.size() == 120);
  std::set<std::string> seen;
  for (const auto& row : rows) {
    CAPTURE(row.front());
    REQUIRE(row.size() == 4);
    CHECK(seen.insert(row.front()).second);
    const auto found = by_ref.find(row.front());
    CHECK(row[2] == (found == by_ref.end() ? "–" : joined(found->second)));
    if (found == by_ref.end()) CHECK(!row[3].empty());
    if (found != by_ref.end()) by_ref.erase(found);
  }
  CHECK(by_ref.empty());  // A check of a row that the catalogue has not.
}

TEST_CASE("docs/coverage.md counts criteria as the mappings have them", "[content]") {
  const auto all = library();
  const auto text = page("docs/coverage.md");

  for (const auto& framework : all.frameworks) {
    CAPTURE(framework.id);
    std::set<std::string> tested;
    std::set<std::string> supported;
    for (const auto& entry : all.mapping(framework.id)->entries) {
      (entry.relation == "evidences" ? tested : supported).insert(entry.criterion);
    }
    for (const auto& criterion : tested) supported.erase(criterion);
    std::map<std::string, std::size_t> host;
    for (const auto& criterion : framework.criteria) ++host[criterion.host];
    const auto rows = table_rows(text, [&](std::string_view cell) { return cell == framework.id; });
    REQUIRE(rows.size() == 1);
    CHECK(rows.front() ==
          std::vector<std::string>{
              framework.id, std::to_string(framework.criteria.size()),
              std::to_string(host["direct"]) + ", " + std::to_string(host["supporting"]),
              std::to_string(tested.size()), std::to_string(supported.size())});
  }
}

TEST_CASE("the registers of docs/registers.md load, as packs may read them", "[content]") {
  const auto tables = catalog();
  const auto text = page("docs/registers.md");
  const std::string fence = "```yaml\n";
  std::size_t count = 0;
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at), ++count) {
    at += fence.size();
    const auto loaded = load_register(text.substr(at, text.find("```", at) - at), "registers.md");
    if (!loaded) FAIL(loaded.error().message);
    const auto* schema = find_schema(tables.tables, loaded->schema.name);
    CAPTURE(loaded->schema.name);
    REQUIRE(schema != nullptr);
    CHECK(loaded->schema.key == schema->key);
    REQUIRE(loaded->schema.columns.size() == schema->columns.size());
    for (const auto& column : loaded->schema.columns) {
      const auto* declared = schema->find(column.name);
      REQUIRE(declared != nullptr);
      CHECK((declared->type == column.type && declared->nullable == column.nullable));
    }
  }
  CHECK(count == 4);
}

}  // namespace vouch::policy
