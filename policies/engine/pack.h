// SPDX-License-Identifier: Apache-2.0
// Packs: YAML files of controls and checks (docs/formats/packs.md). Loading is strict: unknown
// keys, wrong types, bad ids and broken limits are refused with file:line:column.
//
// Load each file with load_pack(), then join them with PackSet::make(), which applies the
// overrides of site packs and refuses what contradicts itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/yaml.h"

namespace vouch::policy {

inline constexpr std::size_t kPackBytesMax = 4u << 20;
inline constexpr std::size_t kSqlBytesMax = 32u << 10;
inline constexpr std::size_t kChecksPerPackMax = 1000;
inline constexpr std::size_t kTablesPerCheckMax = 16;
inline constexpr std::size_t kParamsPerCheckMax = 32;

enum class Severity { low, medium, high, critical };
std::string_view to_string(Severity severity);

// A parameter: an integer, a boolean (bound as 1 or 0), a text, or a list of these (bound as the
// text of a JSON array, for json_each).
using Params = std::map<std::string, json::Value, std::less<>>;

// A test of a check, from its pack. Rows keep their YAML position for messages.
struct CheckTest {
  std::string name;                                                     // May be empty.
  std::map<std::string, std::vector<json::Object>, std::less<>> given;  // Absent = missing table.
  Params params;                                                        // Over the check's own.
  std::string now;
  std::string expect_outcome;             // pass, fail, error, not_applicable, waived.
  std::vector<json::Object> expect_rows;  // For fail: cells that each finding must have.
  std::vector<std::string> vanishes;      // "null T.C", "empty T", "gaps T".
  yaml::Mark mark;
};

struct Check {
  std::string id;
  std::string control;
  std::string title;
  std::string ref;  // Row of the catalogue of technical checks, "AR-010"; may be empty.
  Severity severity = Severity::medium;
  std::string rationale;
  std::string remediation;
  std::vector<std::string> tables;  // The first one's collector judges it.
  std::string applies;              // May be empty: always.
  std::string sql;
  Params params;          // In force: site packs' overrides are in.
  Params default_params;  // As the pack has them; its tests run with these.
  bool tolerates_gaps = false;
  std::vector<CheckTest> tests;
  yaml::Mark mark;
  yaml::Mark sql_mark;
  yaml::Mark applies_mark;
};

struct Control {
  std::string id;
  std::string title;
  std::string owner;             // May be empty: the site's pack names one.
  std::int64_t frequency_s = 0;  // How often it must be judged.
  std::vector<Check> checks;
  yaml::Mark mark;
};

// A site pack's word on another pack's check.
struct Override {
  std::string check;
  Params params;
  std::string why;
  yaml::Mark mark;
};

struct Pack {
  std::string id;
  std::string title;
  std::string file_name;
  std::string digest;  // SHA-256 of `text`: the name of the pack's blob.
  std::string text;    // The file's bytes: the blob.
  std::vector<Control> controls;
  std::vector<Override> overrides;
};

Result<Pack> load_pack(std::string text, std::string_view file_name);

// Several packs in force together.
class PackSet {
 public:
  PackSet() = default;
  PackSet(PackSet&&) noexcept = default;
  PackSet& operator=(PackSet&&) noexcept = default;

  // Refuses: two packs, controls or checks of one id; an override of an unknown check or
  // parameter, of another type, or two overrides of one parameter.
  static Result<PackSet> make(std::vector<Pack> packs);

  // Sorted by id.
  [[nodiscard]] const std::vector<Pack>& packs() const { return packs_; }
  // Nullptr if there is none. Pointers live as long as the set, also when it is moved.
  [[nodiscard]] const Check* find_check(std::string_view id) const;
  [[nodiscard]] const Control* find_control(std::string_view id) const;
  [[nodiscard]] const Pack* pack_of_check(std::string_view id) const;
  // All checks, sorted by id, with site parameters in place.
  [[nodiscard]] const std::vector<const Check*>& checks() const { return checks_; }
  // The policy-set blob (docs/formats/records.md): "<sha256>  <pack id>" lines, sorted by id. Its
  // SHA-256 is the record's `policy`.
  [[nodiscard]] std::string set_blob() const;
  // The texts of the packs, by their digests, which go with the caller.
  std::map<std::string, std::string> take_texts();

 private:
  std::vector<Pack> packs_;
  std::vector<const Check*> checks_;
};

// Reads files, and every *.yaml of directories and of the directories in them, two levels deep.
Result<PackSet> load_pack_set(const std::vector<std::string>& paths);

}  // namespace vouch::policy
