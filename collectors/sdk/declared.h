// SPDX-License-Identifier: Apache-2.0
// Tables that a site declares in a file of its own (docs/collectors/declared.md): which columns
// they have, and how a value that arrives as text or as JSON becomes a cell.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collectors/sdk/context.h"
#include "collectors/sdk/json_pointer.h"
#include "collectors/sdk/manifest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/yaml_section.h"

namespace vouch::sdk {

struct DeclaredColumn {
  std::string name, title, null_means;
  Type type = Type::text;
  Redaction redaction = Redaction::none;
  bool is_key = false, is_personal = false;
  std::string from;  // Where its value is found, in the words of the source; empty: by its name.
  JsonPointer pointer;
};

struct DeclaredTable {
  std::string name, title;
  bool is_volatile = false;
  std::vector<DeclaredColumn> columns;
};

// A file of a site's declarations.
struct Declarations {
  std::string path;
  yaml::Node node;
};
// The one that the option `file` names, or `fallback` where that is there. Errc::denied: others
// than root and this user can write it, or a directory above: who may only hand over options, as a
// daemon that was taken over, declares nothing. Errors name file, line and column.
Result<std::optional<Declarations>> find_declarations(const json::Object& options,
                                                      std::string_view fallback);

// Takes the keys `table`, `title`, `volatile` and `columns` of a section.
void take_table(YamlSection& section, std::string_view file_name, DeclaredTable& table);
// `from` of each column as a pointer; without it, the member of its name.
Status resolve_pointers(DeclaredTable& table);

// No two of one name, none that `collector` has already.
Status add_table(Collector& collector, Table table);
// The table for the manifest. It keeps `declared` alive, whose names it views.
Table make_table(std::shared_ptr<const DeclaredTable> declared,
                 std::function<Status(Context&, Rows&)> collect);

// A cell that owns what it holds.
using Value = std::variant<std::monostate, bool, std::int64_t, std::string>;

// Errors say which column expected what, never what was there. A value that is not there, or null,
// is null where the column may be; text columns take numbers and booleans as they are written, and
// lists and objects as canonical JSON; a time is RFC 3339 text or seconds since 1970.
Result<Value> value_of(const DeclaredColumn& column, const json::Value* found);
// The same from one field of a line. An empty field is null where the column may be.
Result<Value> value_of_text(const DeclaredColumn& column, std::string_view field);

void add_row(Rows& rows, const std::vector<Value>& values);

// "2026-11-21T19:30:00Z", also with a fraction, which is cut, and an offset: "+02:00".
Result<WallSeconds> parse_rfc3339(std::string_view text);

}  // namespace vouch::sdk
