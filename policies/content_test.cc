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
#include <vector>

#include "core/file.h"
#include "policies/engine/catalog.h"
#include "policies/engine/pack.h"
#include "policies/engine/sandbox.h"

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

TEST_CASE("the linux-server packs have checks from each area", "[content]") {
  const auto packs = linux_server();

  std::map<std::string, std::set<std::string>> refs;
  for (const auto* check : packs.checks()) {
    CAPTURE(check->id);
    REQUIRE(is_row_id(check->ref));
    refs[check->ref.substr(0, 2)].insert(check->ref);
  }
  CHECK(packs.packs().size() == 4);
  CHECK(packs.checks().size() == 77);
  CHECK(refs["AR"].size() == 26);
  CHECK(refs["PL"].size() == 14);
  CHECK(refs["BK"].size() == 14);
  CHECK(refs["CD"].size() == 16);
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
      const auto schema = tables.tables.find(table);
      REQUIRE(schema != tables.tables.end());
      REQUIRE(sandbox->add_table(schema->second));
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

}  // namespace vouch::policy
