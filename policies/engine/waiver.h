// SPDX-License-Identifier: Apache-2.0
// Waivers: accepted risks, as rows of the input table `waivers`. A waiver covers a violating row
// iff every cell of its `match` equals the row's cell and valid_from <= now < valid_until.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace vouch::policy {

struct Waiver {
  std::string id;
  std::string check_id;
  json::Object match;  // Empty: every row of the check.
  std::string owner;
  std::string reason;
  std::string approved_by;
  std::string ticket;
  std::string valid_from;   // A second.
  std::string valid_until;  // A second; the first moment at which it no longer holds.
  std::string approved_at;  // Empty: not approved yet, only claimed.
  std::string likelihood;
  std::string impact;
  std::string treatment;
  std::string compensating;
};

// Reads the `waivers` table. A `match` that is no JSON object is Errc::invalid.
Result<std::vector<Waiver>> read_waivers(std::string_view blob);
std::string write_waivers(const std::vector<Waiver>& waivers);
// Reads a file written by people: `waivers:` with one mapping per waiver (docs/formats/packs.md).
Result<std::vector<Waiver>> load_waivers(std::string_view text, std::string_view file_name);

bool in_force(const Waiver& waiver, std::string_view now);
bool covers(const Waiver& waiver, const json::Object& row);

}  // namespace vouch::policy
