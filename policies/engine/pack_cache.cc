// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/pack_cache.h"

#include "core/digest.h"
#include "core/json.h"

namespace vouch::policy {
namespace {

json::Value mark_to_json(const yaml::Mark& mark) {
  return json::Array{mark.line, mark.column};
}

json::Value params_to_json(const Params& params) {
  return json::Object(params.begin(), params.end());
}

json::Value check_to_json(const Check& check) {
  json::Array tables(check.tables.begin(), check.tables.end());
  return json::Object{{"id", check.id},
                      {"title", check.title},
                      {"ref", check.ref},
                      {"severity", static_cast<int>(check.severity)},
                      {"rationale", check.rationale},
                      {"remediation", check.remediation},
                      {"tables", std::move(tables)},
                      {"applies", check.applies},
                      {"sql", check.sql},
                      {"params", params_to_json(check.default_params)},
                      {"tolerates_gaps", check.tolerates_gaps},
                      {"mark", mark_to_json(check.mark)},
                      {"sql_mark", mark_to_json(check.sql_mark)},
                      {"applies_mark", mark_to_json(check.applies_mark)}};
}

// Reads members of our own JSON; one that is missing makes the whole unusable.
class Members {
 public:
  Members(const json::Value& object, bool& good) : object_(object), good_(good) {}

  std::string text(std::string_view key) {
    const auto* value = find(key);
    const auto* found = value == nullptr ? nullptr : value->if_string();
    return found == nullptr ? (good_ = false, std::string()) : *found;
  }
  std::int64_t integer(std::string_view key) {
    const auto* value = find(key);
    const auto* found = value == nullptr ? nullptr : value->if_integer();
    return found == nullptr ? (good_ = false, 0) : *found;
  }
  bool boolean(std::string_view key) {
    const auto* value = find(key);
    const auto* found = value == nullptr ? nullptr : value->if_bool();
    return found == nullptr ? (good_ = false, false) : *found;
  }
  const json::Array& array(std::string_view key) {
    static const json::Array kNone;
    const auto* value = find(key);
    const auto* found = value == nullptr ? nullptr : value->if_array();
    return found == nullptr ? (good_ = false, kNone) : *found;
  }
  yaml::Mark mark(std::string_view key) {
    const auto& pair = array(key);
    const auto* line = pair.size() == 2 ? pair[0].if_integer() : nullptr;
    const auto* column = pair.size() == 2 ? pair[1].if_integer() : nullptr;
    if (line == nullptr || column == nullptr) return good_ = false, yaml::Mark();
    return {static_cast<int>(*line), static_cast<int>(*column)};
  }
  Params params() {
    const auto* value = find("params");
    const auto* found = value == nullptr ? nullptr : value->if_object();
    return found == nullptr ? (good_ = false, Params()) : Params(found->begin(), found->end());
  }

 private:
  const json::Value* find(std::string_view key) const { return object_.find(key); }
  const json::Value& object_;
  bool& good_;
};

Check read_check(const json::Value& value, const std::string& control, bool& good) {
  Members members(value, good);
  Check check;
  check.id = members.text("id");
  check.control = control;
  check.title = members.text("title");
  check.ref = members.text("ref");
  const auto severity = members.integer("severity");
  good = good && severity >= 0 && severity <= static_cast<int>(Severity::critical);
  check.severity = good ? static_cast<Severity>(severity) : Severity::medium;
  check.rationale = members.text("rationale");
  check.remediation = members.text("remediation");
  for (const auto& table : members.array("tables")) {
    const auto* name = table.if_string();
    if (name == nullptr) good = false;
    check.tables.push_back(name == nullptr ? "" : *name);
  }
  good = good && !check.tables.empty();
  check.applies = members.text("applies");
  check.sql = members.text("sql");
  check.default_params = members.params();
  check.params = check.default_params;
  check.tolerates_gaps = members.boolean("tolerates_gaps");
  check.mark = members.mark("mark");
  check.sql_mark = members.mark("sql_mark");
  check.applies_mark = members.mark("applies_mark");
  return check;
}

}  // namespace

std::string write_pack_form(const Pack& pack) {
  json::Array controls;
  for (const auto& control : pack.controls) {
    json::Array checks;
    for (const auto& check : control.checks) checks.push_back(check_to_json(check));
    controls.push_back(json::Object{{"id", control.id},
                                    {"title", control.title},
                                    {"owner", control.owner},
                                    {"frequency_s", control.frequency_s},
                                    {"mark", mark_to_json(control.mark)},
                                    {"checks", std::move(checks)}});
  }
  json::Array overrides;
  for (const auto& each : pack.overrides) {
    overrides.push_back(json::Object{{"check", each.check},
                                     {"params", params_to_json(each.params)},
                                     {"why", each.why},
                                     {"mark", mark_to_json(each.mark)}});
  }
  return json::write(json::Object{{"id", pack.id},
                                  {"title", pack.title},
                                  {"controls", std::move(controls)},
                                  {"overrides", std::move(overrides)}});
}

Result<Pack> read_pack_form(std::string_view form, std::string text, std::string_view file_name) {
  auto value = json::parse(form);
  if (!value) return std::move(value).error();
  bool good = true;
  Members members(*value, good);
  Pack pack;
  pack.id = members.text("id");
  pack.title = members.text("title");
  pack.file_name = file_name;
  for (const auto& each : members.array("controls")) {
    Members fields(each, good);
    Control control;
    control.id = fields.text("id");
    control.title = fields.text("title");
    control.owner = fields.text("owner");
    control.frequency_s = fields.integer("frequency_s");
    control.mark = fields.mark("mark");
    for (const auto& check : fields.array("checks")) {
      control.checks.push_back(read_check(check, control.id, good));
    }
    pack.controls.push_back(std::move(control));
  }
  for (const auto& each : members.array("overrides")) {
    Members fields(each, good);
    Override made;
    made.check = fields.text("check");
    made.params = fields.params();
    made.why = fields.text("why");
    made.mark = fields.mark("mark");
    pack.overrides.push_back(std::move(made));
  }
  if (!good) return Error{Errc::corrupt, "the kept form of a pack is damaged"};
  pack.digest = sha256_hex(text);
  pack.text = std::move(text);
  return pack;
}

}  // namespace vouch::policy
