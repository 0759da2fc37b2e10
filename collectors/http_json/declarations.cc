// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/declarations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/http/url.h"
#include "core/yaml_section.h"

namespace vouch::http_json {
namespace {

constexpr std::size_t kHeadersMax = 32;
constexpr std::size_t kQueryMax = 32;
constexpr std::size_t kAbsencesMax = 8;

using Servers = std::map<std::string, std::shared_ptr<const ServerSpec>>;
using Sources = std::vector<std::unique_ptr<const SourceSpec>>;

constexpr std::array kPagings{std::pair{"none", Paging::none}, std::pair{"link", Paging::link},
                              std::pair{"cursor", Paging::cursor}, std::pair{"url", Paging::url},
                              std::pair{"number", Paging::number}};

bool is_printable(std::string_view text) {
  return !text.empty() && text.size() <= 2000 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_header(std::string_view text) {
  const auto colon = text.find(':');
  return is_printable(text) && colon != std::string_view::npos && colon > 0 &&
         text.substr(0, colon).find(' ') == std::string_view::npos;
}

bool is_parameter(std::string_view text) {
  const auto equals = text.find('=');
  return equals != std::string_view::npos && equals > 0 && text.size() <= 2000;
}

bool is_path(std::string_view text) {
  return is_printable(text) && text[0] == '/' && text.find_first_of("?# ") == text.npos &&
         text.find("..") == text.npos;
}

bool is_pin(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256//";
  constexpr std::size_t kBase64Size = 44;
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + kBase64Size;
}

// Where a secret would stand in a file that all may read, and in evidence.
bool names_secret(std::string_view name) {
  const auto shown = redact(Redaction::command, fmt::format("x --{}=x", name));
  return shown.ends_with(kRedacted);
}

Result<ServerSpec> read_server(const yaml::Node& node, std::string_view file_name,
                               const std::string& name) {
  ServerSpec server;
  server.name = name;
  YamlSection section(node, file_name, "a server");
  section.text("url", server.url, is_printable, "a URL");
  section.texts("headers", server.headers, kHeadersMax, is_header, "\"Name: value\"");
  section.text("credential", server.credential, is_printable,
               "the name of a credential of the unit, or an absolute path");
  section.text("credential_header", server.credential_header, is_header, "\"Name: word\"");
  section.path("ca_file", server.ca_file);
  section.text("pin", server.pinned_key, is_pin, "sha256// and the base64 of a digest");
  while (server.url.ends_with('/')) server.url.pop_back();
  auto origin = http::origin_of(server.url);
  if (!origin) section.fail(node, "url: " + origin.error().message);
  const bool is_plain = server.url.starts_with("http:");
  if (is_plain && !http::is_loopback(server.url)) {
    section.fail(node, "url: without TLS anyone on the way can answer: https");
  }
  if (server.url.find_first_of("?#") != std::string::npos) {
    section.fail(node, "url: parameters are named by query of a source");
  }
  for (const std::string& header : server.headers) {
    if (names_secret(header.substr(0, header.find(':')))) {
      section.fail(node, "headers: a secret is named by credential, which is a file");
    }
  }
  if (auto status = section.finish(); !status) return status.error();
  server.origin = *std::move(origin);
  return server;
}

Result<Servers> read_servers(YamlSection& file, std::string_view file_name) {
  Servers servers;
  const yaml::Node* node = file.take("servers");
  if (node == nullptr || node->kind != yaml::Node::Kind::mapping) {
    return Error{Errc::invalid, fmt::format("{}: servers: expected a mapping", file_name)};
  }
  for (const auto& [name, value] : node->members) {
    auto server = read_server(value, file_name, name.scalar);
    if (!server) return std::move(server).error();
    servers[name.scalar] = std::make_shared<const ServerSpec>(*std::move(server));
  }
  return servers;
}

void take_pointer(YamlSection& section, std::string_view key, sdk::JsonPointer& out) {
  const yaml::Node* node = section.take(key);
  if (node == nullptr) return;
  auto pointer = sdk::JsonPointer::parse(node->scalar);
  if (!pointer) return section.fail(*node, fmt::format("{}: {}", key, pointer.error().message));
  out = *std::move(pointer);
}

void take_paging(YamlSection& section, const yaml::Node& node, SourceSpec& source) {
  std::string word;
  const auto is_known = [](std::string_view text) {
    return std::any_of(kPagings.begin(), kPagings.end(),
                       [&](const auto& known) { return text == known.first; });
  };
  section.text("pages", word, is_known, "none, link, cursor, url or number");
  for (const auto& [name, paging] : kPagings) {
    if (word == name) source.paging = paging;
  }
  const bool has_cursor = section.take("cursor") != nullptr;
  take_pointer(section, "cursor", source.cursor);
  section.text("parameter", source.parameter, is_printable, "the name of a parameter");
  section.number("first_page", source.first_page, parse_count, 0, 1);
  const bool needs_cursor = source.paging == Paging::cursor || source.paging == Paging::url;
  if (needs_cursor != has_cursor) {
    section.fail(node, "cursor: a pointer to it; for pages: cursor and url, which need it");
  }
  const bool needs_parameter = source.paging == Paging::cursor || source.paging == Paging::number;
  if (needs_parameter != !source.parameter.empty()) {
    section.fail(node, "parameter: for pages: cursor and number, which need it");
  }
  section.number("pages_max", source.pages_max, parse_count, 1, 10'000);
  section.number("rows_max", source.rows_max, parse_count, 1, 1'000'000);
  section.number("page_bytes_max", source.page_bytes_max, parse_size, 1024, std::int64_t{64} << 20);
}

void take_absences(YamlSection& section, std::string_view file_name, SourceSpec& source) {
  const yaml::Node* node = section.take("absent");
  if (node == nullptr) return;
  if (node->kind != yaml::Node::Kind::sequence || node->items.size() > kAbsencesMax) {
    return section.fail(*node, "absent: expected a list of at most 8 { status, at, equals }");
  }
  for (const yaml::Node& item : node->items) {
    Absence absence;
    std::int64_t status = 0;
    sdk::JsonPointer pointer;
    YamlSection inner(item, file_name, "an absence");
    inner.number("status", status, parse_count, 400, 499);
    const bool has_pointer = inner.take("at") != nullptr;
    take_pointer(inner, "at", pointer);
    inner.text("equals", absence.equals, is_printable, "the text that stands there");
    if (status == 0 || has_pointer == absence.equals.empty()) {
      inner.fail(item, "an absence has a status, and at and equals, or neither of these two");
    }
    if (auto good = inner.finish(); !good) return section.fail(good.error());
    absence.status = static_cast<int>(status);
    if (has_pointer) absence.pointer = std::move(pointer);
    source.absences.push_back(std::move(absence));
  }
}

std::optional<std::size_t> column_index(const sdk::DeclaredTable& table, std::string_view name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == name) return i;
  }
  return std::nullopt;
}

// The columns whose `from` is "{name}": the parent's cell.
Status inherit(sdk::DeclaredTable& table, SourceSpec& source) {
  source.inherited.resize(table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    sdk::DeclaredColumn& column = table.columns[i];
    if (!column.from.starts_with('{') || !column.from.ends_with('}')) continue;
    const auto name = column.from.substr(1, column.from.size() - 2);
    const auto index =
        source.parent == nullptr ? std::nullopt : column_index(*source.parent->table, name);
    if (!index || source.parent->table->columns[*index].type != column.type) {
      return Error{Errc::invalid, fmt::format("column {}: the table of each has no column {} of "
                                              "this type",
                                              column.name, name)};
    }
    source.inherited[i] = index;
    column.from.clear();  // No pointer.
  }
  return Ok{};
}

Status check_path(const SourceSpec& source) {
  std::string_view rest = source.path;
  for (;;) {
    const auto open = rest.find('{');
    if (open == std::string_view::npos) return Ok{};
    const auto close = rest.find('}', open);
    const auto name = rest.substr(open + 1, close - open - 1);
    if (close == std::string_view::npos || source.parent == nullptr ||
        !column_index(*source.parent->table, name)) {
      return Error{Errc::invalid,
                   fmt::format("path: {{{}}} is no column of the table of each", name)};
    }
    rest.remove_prefix(close + 1);
  }
}

void take_parent(YamlSection& section, const Sources& before, SourceSpec& source) {
  const yaml::Node* node = section.take("each");
  if (node == nullptr) return;
  for (const auto& other : before) {
    if (other->table->name == node->scalar) source.parent = other.get();
  }
  if (source.parent == nullptr) section.fail(*node, "each: no source before has this table");
}

Result<SourceSpec> read_source(const yaml::Node& node, std::string_view file_name,
                               const Servers& servers, const Sources& before) {
  SourceSpec source;
  sdk::DeclaredTable table;
  std::string server;
  YamlSection section(node, file_name, "a source");
  sdk::take_table(section, file_name, table);
  section.text(
      "server", server, [&](std::string_view n) { return servers.contains(std::string(n)); },
      "one of servers");
  section.text("path", source.path, is_path, "a path: /…, without query");
  section.texts("query", source.query, kQueryMax, is_parameter, "\"name=value\"");
  take_pointer(section, "rows", source.rows);
  section.boolean("single", source.is_single);
  take_parent(section, before, source);
  take_paging(section, node, source);
  take_absences(section, file_name, source);
  if (table.name.empty() || table.columns.empty() || server.empty() || source.path.empty()) {
    section.fail(node, "a source needs table, server, path and columns");
  }
  for (const std::string& parameter : source.query) {
    if (names_secret(parameter.substr(0, parameter.find('=')))) {
      section.fail(node, "query: a secret is named by credential of the server, which is a file");
    }
  }
  for (const Status& good :
       {inherit(table, source), sdk::resolve_pointers(table), check_path(source)}) {
    if (!good) section.fail(node, good.error().message);
  }
  if (auto status = section.finish(); !status) return status.error();
  source.table = std::make_shared<const sdk::DeclaredTable>(std::move(table));
  source.server = servers.at(server);
  return source;
}

}  // namespace

Result<Sources> read_sources(const sdk::Declarations& declarations) {
  Sources sources;
  YamlSection file(declarations.node, declarations.path, "the APIs of this site");
  const auto servers = read_servers(file, declarations.path);
  if (!servers) return servers.error();
  const yaml::Node* list = file.take("sources");
  if (list == nullptr || list->kind != yaml::Node::Kind::sequence || list->items.empty()) {
    file.fail(list == nullptr ? declarations.node : *list, "sources: expected a list");
  } else {
    for (const yaml::Node& item : list->items) {
      auto source = read_source(item, declarations.path, *servers, sources);
      if (!source) return std::move(source).error();
      sources.push_back(std::make_unique<const SourceSpec>(*std::move(source)));
    }
  }
  if (auto status = file.finish(); !status) return status.error();
  return sources;
}

}  // namespace vouch::http_json
