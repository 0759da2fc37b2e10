// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/waiver.h"

#include <fmt/format.h>

#include <set>

#include "core/yaml.h"
#include "policies/engine/table.h"
#include "policies/engine/yaml_fields.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kWaiversMax = 10'000;

std::string cell_text(const Cell& cell) {
  const auto* text = std::get_if<std::string_view>(&cell);
  return text == nullptr ? "" : std::string(*text);
}

Result<Waiver> load_waiver(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(
      file_name, node,
      {"id", "check", "match", "owner", "reason", "approved_by", "ticket", "valid_from",
       "valid_until", "approved_at", "likelihood", "impact", "treatment", "compensating"});
  Waiver waiver;
  waiver.id = fields.id("id");
  waiver.check_id = fields.id("check");
  waiver.owner = fields.text("owner");
  waiver.reason = fields.text("reason");
  waiver.approved_by = fields.text("approved_by");
  waiver.ticket = fields.text_or("ticket", "");
  waiver.valid_from = fields.second("valid_from");
  waiver.valid_until = fields.second("valid_until");
  waiver.approved_at = fields.second_or("approved_at", "");
  waiver.likelihood = fields.text_or("likelihood", "");
  waiver.impact = fields.text_or("impact", "");
  waiver.treatment = fields.text_or("treatment", "");
  waiver.compensating = fields.text_or("compensating", "");
  const auto* match = fields.mapping("match");
  if (match == nullptr) fields.fail(node, "\"match\" is missing; {} is every row of the check");
  if (fields.ok() && waiver.approved_by == waiver.owner) {
    fields.fail(*fields.find("approved_by"), "the approver must be another person than the owner");
  }
  if (fields.ok() && waiver.valid_until <= waiver.valid_from) {
    fields.fail(*fields.find("valid_until"), "it ends before it begins");
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  auto cells = read_cells(file_name, *match);
  if (!cells) return std::move(cells).error();
  waiver.match = *std::move(cells);
  return waiver;
}

}  // namespace

Result<std::vector<Waiver>> read_waivers(std::string_view blob) {
  // Cells by name: approved_at, approved_by, check_id, compensating, id, impact, likelihood, match,
  // owner, reason, ticket, treatment, valid_from, valid_until.
  std::vector<Waiver> waivers;
  auto done =
      scan_rows(*built_in_schema("waivers"), blob, [&](std::span<const Cell> row) -> Status {
        auto match = json::parse(cell_text(row[7]));
        if (!match || match->if_object() == nullptr) {
          return Error{Errc::invalid, fmt::format("table waivers: {}: match is no JSON object",
                                                  cell_text(row[4]))};
        }
        Waiver waiver;
        waiver.id = cell_text(row[4]);
        waiver.check_id = cell_text(row[2]);
        waiver.match = *match->if_object();
        waiver.owner = cell_text(row[8]);
        waiver.reason = cell_text(row[9]);
        waiver.approved_by = cell_text(row[1]);
        waiver.ticket = cell_text(row[10]);
        waiver.valid_from = cell_text(row[12]);
        waiver.valid_until = cell_text(row[13]);
        waiver.approved_at = cell_text(row[0]);
        waiver.likelihood = cell_text(row[6]);
        waiver.impact = cell_text(row[5]);
        waiver.treatment = cell_text(row[11]);
        waiver.compensating = cell_text(row[3]);
        waivers.push_back(std::move(waiver));
        return Ok{};
      });
  if (!done) return std::move(done).error();
  return waivers;
}

std::string write_waivers(const std::vector<Waiver>& waivers) {
  std::set<std::string> lines;
  for (const auto& waiver : waivers) {
    json::Object row{{"id", waiver.id},
                     {"check_id", waiver.check_id},
                     {"match", json::write(waiver.match)},
                     {"owner", waiver.owner},
                     {"reason", waiver.reason},
                     {"approved_by", waiver.approved_by},
                     {"ticket", waiver.ticket},
                     {"valid_from", waiver.valid_from},
                     {"valid_until", waiver.valid_until},
                     {"likelihood", waiver.likelihood},
                     {"impact", waiver.impact},
                     {"treatment", waiver.treatment},
                     {"compensating", waiver.compensating}};
    row["approved_at"] =
        waiver.approved_at.empty() ? json::Value() : json::Value(waiver.approved_at);
    lines.insert(json::write(row));
  }
  std::string blob;
  for (const auto& line : lines) blob += line + "\n";
  return blob;
}

Result<std::vector<Waiver>> load_waivers(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"waivers"});
  std::vector<Waiver> waivers;
  std::set<std::string> ids;
  for (const auto& item : fields.sequence("waivers", kWaiversMax)) {
    auto waiver = load_waiver(file_name, item);
    if (!waiver) {
      fields.fail(std::move(waiver).error());
      break;
    }
    if (!ids.insert(waiver->id).second) fields.fail(item, "two waivers have this id");
    waivers.push_back(*std::move(waiver));
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return waivers;
}

// Seconds have one form, of one length: bytewise order is the order of time.
bool in_force(const Waiver& waiver, std::string_view now) {
  return waiver.valid_from <= now && now < waiver.valid_until;
}

bool covers(const Waiver& waiver, const json::Object& row) {
  for (const auto& [name, value] : waiver.match) {
    const auto cell = row.find(name);
    if (cell == row.end() || cell->second != value) return false;
  }
  return true;
}

}  // namespace vouch::policy
