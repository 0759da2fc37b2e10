// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/declared.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "core/file.h"

namespace vouch::sdk {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kColumnsMax = 128;
constexpr std::size_t kTextBytesMax = 1000;

constexpr std::array kTypes{std::pair{"text", Type::text}, std::pair{"bytes", Type::bytes},
                            std::pair{"integer", Type::integer},
                            std::pair{"boolean", Type::boolean}, std::pair{"time", Type::time}};
constexpr std::array kRedactions{std::pair{"url", Redaction::url},
                                 std::pair{"command", Redaction::command},
                                 std::pair{"environment", Redaction::environment}};

bool is_name(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 63 && text[0] >= 'a' && text[0] <= 'z' &&
         std::all_of(text.begin(), text.end(), is_plain);
}

bool is_text(std::string_view text) {
  return !text.empty() && text.size() <= kTextBytesMax;
}

template <class Names, class T>
void take_word(YamlSection& section, std::string_view key, const Names& names, T& out,
               std::string_view expected) {
  std::string word;
  const auto known = [&](std::string_view text) {
    return std::any_of(names.begin(), names.end(), [&](const auto& n) { return n.first == text; });
  };
  section.text(key, word, known, expected);
  for (const auto& [name, value] : names) {
    if (word == name) out = value;
  }
}

Result<DeclaredColumn> read_column(const yaml::Node& node, std::string_view file_name) {
  DeclaredColumn column;
  YamlSection section(node, file_name, "a column");
  section.text("name", column.name, is_name, "a name: a-z, 0-9 and _, at most 63");
  take_word(section, "type", kTypes, column.type, "text, bytes, integer, boolean or time");
  section.text("title", column.title, is_text, "a text of at most 1000 bytes");
  section.text("from", column.from, is_text, "where its value is found");
  section.text("null_means", column.null_means, is_text, "what null means");
  section.boolean("key", column.is_key);
  section.boolean("personal", column.is_personal);
  take_word(section, "redact", kRedactions, column.redaction, "url, command or environment");
  if (column.name.empty()) section.fail(node, "a column needs a name");
  if (column.name == "occurrence") section.fail(node, "the name occurrence is taken");
  if (column.is_key && !column.null_means.empty()) {
    section.fail(node, "a column of the key is never null");
  }
  const bool is_text_like = column.type == Type::text || column.type == Type::bytes;
  if (column.redaction != Redaction::none && !is_text_like) {
    section.fail(node, "redact is for text and bytes");
  }
  if (auto status = section.finish(); !status) return status.error();
  if (column.title.empty()) column.title = column.name;
  return column;
}

void take_columns(YamlSection& section, const yaml::Node& node, std::string_view file_name,
                  std::vector<DeclaredColumn>& columns) {
  if (node.kind != yaml::Node::Kind::sequence || node.items.empty()) {
    return section.fail(node, "columns: expected a list of columns");
  }
  if (node.items.size() > kColumnsMax) return section.fail(node, "columns: more than 128");
  std::set<std::string> names;
  for (const yaml::Node& item : node.items) {
    auto column = read_column(item, file_name);
    if (!column) return section.fail(std::move(column).error());
    if (!names.insert(column->name).second) {
      return section.fail(item, fmt::format("column {} is there twice", column->name));
    }
    columns.push_back(*std::move(column));
  }
  const auto is_key = [](const DeclaredColumn& column) { return column.is_key; };
  if (std::none_of(columns.begin(), columns.end(), is_key)) {
    section.fail(node, "columns: say which of them tell the rows apart: key: true");
  }
}

Error expected(const DeclaredColumn& column, std::string_view what) {
  return {Errc::invalid, fmt::format("column {}: expected {}", column.name, what)};
}

std::string_view wanted(Type type) {
  switch (type) {
    case Type::text:
      return "text in UTF-8 without U+0000";
    case Type::bytes:
      return "text";
    case Type::integer:
      return "an integer of 64 bits";
    case Type::boolean:
      return "true or false";
    case Type::time:
      return "a time: 2026-11-21T19:30:00Z, or seconds since 1970";
  }
  return "";
}

bool is_good_text(std::string_view text) {
  return json::is_valid_utf8(text) && text.find('\0') == std::string_view::npos;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<Value> typed(Type type, std::string_view text) {
  switch (type) {
    case Type::text:
      if (!is_good_text(text)) return {};
      return std::string(text);
    case Type::bytes:
      return std::string(text);
    case Type::boolean:
      if (text != "true" && text != "false") return {};
      return text == "true";
    case Type::integer:
      if (const auto value = integer_of(text)) return *value;
      return {};
    case Type::time:
      break;
  }
  if (const auto second = parse_rfc3339(text)) return *second;
  constexpr WallSeconds kSecondsMax = 253'402'300'799;  // The end of the year 9999.
  const auto value = integer_of(text);
  if (value && *value >= 0 && *value <= kSecondsMax) return *value;
  return {};
}

}  // namespace

Result<std::optional<Declarations>> find_declarations(const json::Object& options,
                                                      std::string_view fallback) {
  const auto option = options.find("file");
  const auto* named = option == options.end() ? nullptr : option->second.if_string();
  const std::string path = named == nullptr ? std::string(fallback) : *named;
  if (!path.starts_with('/')) return Error{Errc::invalid, "option file: expected an absolute path"};
  if (named == nullptr && !file_exists(path)) return std::optional<Declarations>();
  if (auto trusted = require_trusted_path(path, ::geteuid()); !trusted) return trusted.error();
  const auto text = read_file(path, kFileBytesMax);
  if (!text) return text.error();
  auto node = yaml::parse(*text, path);
  if (!node) return std::move(node).error();
  return std::optional(Declarations{path, *std::move(node)});
}

void take_table(YamlSection& section, std::string_view file_name, DeclaredTable& table) {
  section.text("table", table.name, is_name, "a name: a-z, 0-9 and _, at most 63");
  section.text("title", table.title, is_text, "a text of at most 1000 bytes");
  section.boolean("volatile", table.is_volatile);
  if (const yaml::Node* columns = section.take("columns"); columns != nullptr) {
    take_columns(section, *columns, file_name, table.columns);
  }
  if (table.title.empty()) table.title = table.name;
}

Status resolve_pointers(DeclaredTable& table) {
  for (DeclaredColumn& column : table.columns) {
    auto pointer =
        column.from.empty() ? JsonPointer::to_member(column.name) : JsonPointer::parse(column.from);
    if (!pointer) return std::move(pointer).error().in("column " + column.name);
    column.pointer = *std::move(pointer);
  }
  return Ok{};
}

Status add_table(Collector& collector, Table table) {
  if (table.name == "gaps" || collector.find(table.name) != nullptr) {
    return Error{Errc::invalid, fmt::format("table {}: there is one of this name", table.name)};
  }
  constexpr std::size_t kTablesMax = 64;
  if (collector.tables.size() == kTablesMax) {
    return Error{Errc::too_large, "a collector has at most 64 tables; configure another instance"};
  }
  collector.tables.push_back(std::move(table));
  return Ok{};
}

Table make_table(std::shared_ptr<const DeclaredTable> declared,
                 std::function<Status(Context&, Rows&)> collect) {
  Table table;
  table.name = declared->name;
  table.title = declared->title;
  table.is_volatile = declared->is_volatile;
  for (const DeclaredColumn& from : declared->columns) {
    Column column;
    column.name = from.name;
    column.type = from.type;
    column.title = from.title;
    column.is_key = from.is_key;
    column.null_means = from.null_means;
    column.redaction = from.redaction;
    column.is_personal = from.is_personal;
    table.columns.push_back(column);
  }
  table.collect = [declared = std::move(declared), collect = std::move(collect)](
                      Context& context, Rows& rows) { return collect(context, rows); };
  return table;
}

Result<Value> value_of(const DeclaredColumn& column, const json::Value* found) {
  if (found == nullptr || found->is_null()) {
    if (!column.null_means.empty()) return Value();
    return Error{Errc::invalid,
                 fmt::format("column {}: {}, and it is declared as never null", column.name,
                             found == nullptr ? "its value is missing" : "its value is null")};
  }
  std::optional<Value> value;
  const bool is_text_like = column.type == Type::text || column.type == Type::bytes;
  if (const auto* text = found->if_string()) {
    value = typed(column.type, *text);
  } else if (const auto* flag = found->if_bool(); flag != nullptr && column.type == Type::boolean) {
    value = *flag;
  } else if (found->if_integer() != nullptr || is_text_like) {
    value = typed(column.type, json::write(*found));
  }
  if (!value) return expected(column, wanted(column.type));
  return *std::move(value);
}

Result<Value> value_of_text(const DeclaredColumn& column, std::string_view field) {
  if (field.empty() && !column.null_means.empty()) return Value();
  auto value = typed(column.type, field);
  if (!value) return expected(column, wanted(column.type));
  return *std::move(value);
}

void add_row(Rows& rows, const std::vector<Value>& values) {
  std::vector<Cell> cells;
  cells.reserve(values.size());
  for (const Value& value : values) {
    std::visit(
        [&](const auto& held) {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
            cells.emplace_back(nullptr);
          } else {
            cells.emplace_back(held);
          }
        },
        value);
  }
  rows.add(cells);
}

Result<WallSeconds> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kSecond = 19;  // 2026-11-21T19:30:00
  const Error invalid{Errc::invalid, "no time of RFC 3339"};
  if (text.size() <= kSecond) return invalid;
  auto second = parse_second(std::string(text.substr(0, kSecond)) + "Z");
  if (!second) return second;
  auto rest = text.substr(kSecond);
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (rest[0] == '.') {
    const auto zone = rest.find_first_of("Z+-");
    if (zone == std::string_view::npos || !digits(rest.substr(1, zone - 1))) return invalid;
    rest.remove_prefix(zone);
  }
  if (rest == "Z") return second;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' ||
      !digits(rest.substr(1, 2)) || !digits(rest.substr(4, 2))) {
    return invalid;
  }
  const std::int64_t hours = *integer_of(rest.substr(1, 2));
  const std::int64_t minutes = *integer_of(rest.substr(4, 2));
  if (hours > 23 || minutes > 59) return invalid;
  const std::int64_t east = (hours * 60 + minutes) * 60;
  return rest[0] == '+' ? *second - east : *second + east;
}

}  // namespace vouch::sdk
