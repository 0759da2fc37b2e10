// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/digest.h"
#include "policies/engine/pack_parts.h"
#include "policies/engine/yaml_fields.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kControlsPerPackMax = 1000;
constexpr std::size_t kTestsPerCheckMax = 200;
constexpr std::size_t kOverridesMax = 1000;
constexpr std::size_t kListEntriesMax = 1000;
constexpr std::int64_t kFrequencySecondsMin = 60;
constexpr std::int64_t kFrequencySecondsMax = 31'622'400;

bool is_scalar(const json::Value& value) {
  return value.if_integer() || value.if_bool() || value.if_string();
}

// Names of columns and parameters of tables that a check may declare first: a collector's.
bool is_input_table(std::string_view name) {
  return name == "gaps" || name == "waivers" || name == "drift" || name == "registers" ||
         name == "columns" || name.starts_with("baseline_") || name.starts_with("previous_") ||
         name.starts_with("register_");
}

void load_tables(YamlFields& fields, const yaml::Node& node, Check& check) {
  check.tables = fields.texts("tables", kTablesPerCheckMax);
  if (check.tables.empty()) return fields.fail(node, "\"tables\" is missing or empty");
  std::set<std::string_view> seen;
  const auto& items = fields.find("tables")->items;
  for (std::size_t i = 0; i < check.tables.size() && fields.ok(); ++i) {
    if (!is_plain_name(check.tables[i])) fields.fail(items[i], "no name of a table");
    if (!seen.insert(check.tables[i]).second) fields.fail(items[i], "the table is listed twice");
  }
  if (fields.ok() && is_input_table(check.tables.front())) {
    fields.fail(items.front(), "the first table must be a collector's: its runs judge the check");
  }
}

Severity load_severity(YamlFields& fields) {
  const auto text = fields.one_of("severity", {"low", "medium", "high", "critical"});
  for (const auto severity : {Severity::low, Severity::high, Severity::critical}) {
    if (text == to_string(severity)) return severity;
  }
  return Severity::medium;
}

bool is_ref(std::string_view text) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 6 && upper(text[0]) && upper(text[1]) && text[2] == '-' && digit(text[3]) &&
         digit(text[4]) && digit(text[5]);
}

Result<Check> load_check(std::string_view file_name, const yaml::Node& node,
                         const std::string& control) {
  YamlFields fields(file_name, node,
                    {"id", "title", "ref", "severity", "rationale", "tables", "applies", "params",
                     "sql", "remediation", "tolerates_gaps", "tests"});
  Check check;
  check.mark = node.mark;
  check.control = control;
  check.id = fields.id("id");
  if (fields.ok() && !check.id.starts_with(control + ".")) {
    fields.fail(*fields.find("id"), fmt::format("the id must begin with \"{}.\"", control));
  }
  check.title = fields.text("title");
  check.ref = fields.text_or("ref", "");
  if (fields.ok() && !check.ref.empty() && !is_ref(check.ref)) {
    fields.fail(*fields.find("ref"), fmt::format("\"{}\" is no row such as AR-010", check.ref));
  }
  check.severity = load_severity(fields);
  check.rationale = fields.text("rationale");
  check.remediation = fields.text("remediation");
  load_tables(fields, node, check);
  check.applies = fields.text_or("applies", "");
  check.sql = fields.text("sql");
  check.tolerates_gaps = fields.boolean_or("tolerates_gaps", false);
  if (const auto* sql = fields.find("sql")) check.sql_mark = sql->mark;
  if (const auto* applies = fields.find("applies")) check.applies_mark = applies->mark;
  if (check.sql.size() > kSqlBytesMax || check.applies.size() > kSqlBytesMax) {
    fields.fail(node, "SQL over 32 KiB");
  }
  if (const auto* params = fields.find("params")) {
    auto loaded = load_params(file_name, *params);
    if (loaded)
      check.params = *std::move(loaded);
    else
      fields.fail(std::move(loaded).error());
  }
  check.default_params = check.params;
  for (const auto& test : fields.optional_sequence("tests", kTestsPerCheckMax)) {
    auto loaded = load_check_test(file_name, test);
    if (loaded)
      check.tests.push_back(*std::move(loaded));
    else
      fields.fail(std::move(loaded).error());
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return check;
}

Result<Control> load_control(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(file_name, node, {"id", "title", "owner", "frequency_s", "checks"});
  Control control;
  control.mark = node.mark;
  control.id = fields.id("id");
  control.title = fields.text("title");
  control.owner = fields.text_or("owner", "");
  control.frequency_s = fields.integer("frequency_s", kFrequencySecondsMin, kFrequencySecondsMax);
  for (const auto& item : fields.sequence("checks", kChecksPerPackMax)) {
    if (!fields.ok()) break;
    auto check = load_check(file_name, item, control.id);
    if (check)
      control.checks.push_back(*std::move(check));
    else
      fields.fail(std::move(check).error());
  }
  if (fields.ok() && control.checks.empty()) fields.fail(node, "a control needs a check");
  if (!fields.ok()) return std::move(fields.status()).error();
  return control;
}

Result<Override> load_override(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(file_name, node, {"check", "params", "why"});
  Override result;
  result.mark = node.mark;
  result.check = fields.id("check");
  result.why = fields.text("why");
  const auto* params = fields.mapping("params");
  if (params == nullptr) fields.fail(node, "\"params\" is missing");
  if (!fields.ok()) return std::move(fields.status()).error();
  auto loaded = load_params(file_name, *params);
  if (!loaded) return std::move(loaded).error();
  result.params = *std::move(loaded);
  return result;
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  return "medium";
}

Result<Params> load_params(std::string_view file_name, const yaml::Node& node) {
  auto cells = read_cells(file_name, node);
  if (!cells) return std::move(cells).error();
  if (cells->size() > kParamsPerCheckMax) {
    return yaml::error_at(file_name, node, fmt::format("over {} parameters", kParamsPerCheckMax));
  }
  Params params;
  for (const auto& [key, value] : node.members) {
    const auto& cell = cells->at(key.scalar);
    const auto* list = cell.if_array();
    const bool good =
        list ? list->size() <= kListEntriesMax && std::all_of(list->begin(), list->end(), is_scalar)
             : is_scalar(cell);
    if (!good) {
      return yaml::error_at(file_name, value,
                            "a parameter is an integer, true, false, a text, or a list of these");
    }
    if (!is_plain_name(key.scalar) || key.scalar == "now") {
      return yaml::error_at(file_name, key, "no name of a parameter: [a-z][a-z0-9_]*, not now");
    }
    params.emplace(key.scalar, cell);
  }
  return params;
}

Result<Pack> load_pack(std::string text, std::string_view file_name) {
  if (text.size() > kPackBytesMax) {
    return Error{Errc::too_large, fmt::format("{}: over 4 MiB", file_name)};
  }
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"pack", "title", "controls", "overrides"});
  Pack pack;
  pack.id = fields.id("pack");
  pack.title = fields.text_or("title", "");
  pack.file_name = file_name;
  std::size_t checks = 0;
  for (const auto& item : fields.optional_sequence("controls", kControlsPerPackMax)) {
    if (!fields.ok()) break;
    auto control = load_control(file_name, item);
    if (!control) {
      fields.fail(std::move(control).error());
      break;
    }
    checks += control->checks.size();
    if (checks > kChecksPerPackMax) fields.fail(item, "over 1,000 checks in one pack");
    pack.controls.push_back(*std::move(control));
  }
  for (const auto& item : fields.optional_sequence("overrides", kOverridesMax)) {
    auto loaded = load_override(file_name, item);
    if (loaded)
      pack.overrides.push_back(*std::move(loaded));
    else
      fields.fail(std::move(loaded).error());
  }
  if (pack.controls.empty() && pack.overrides.empty()) {
    fields.fail(*root, "a pack has \"controls\" or \"overrides\"");
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  pack.digest = sha256_hex(text);
  pack.text = std::move(text);
  return pack;
}

}  // namespace vouch::policy
