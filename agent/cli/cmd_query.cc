// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <set>

#include "agent/cli/command.h"
#include "agent/cli/live.h"
#include "agent/cli/places.h"
#include "agent/cli/rows.h"
#include "agent/vouchd/direct_runner.h"
#include "core/digest.h"
#include "core/file.h"
#include "policies/engine/sandbox.h"
#include "policies/engine/table.h"
#include "proto/dsse.h"
#include "proto/limits.h"
#include "proto/parcel.h"
#include "proto/statement.h"

namespace vouch::cli {
namespace {

// Where a query's tables come from: the schemas of all, and the blobs of those asked for.
struct Source {
  policy::SchemaMap schemas;
  std::string now;
  std::vector<TableRef> tables;
  std::map<std::string, std::string> blobs;
};

Result<Source> open_parcel(const std::string& path) {
  auto bytes = read_file(path, kParcelBytesMax);
  if (!bytes) return std::move(bytes).error();
  auto parcel = read_parcel(*bytes);
  if (!parcel) return std::move(parcel).error().in(path);
  auto envelope = dsse::parse(parcel->envelope);
  if (!envelope) return std::move(envelope).error().in(path);
  auto statement = parse_statement(envelope->payload);
  if (!statement) return std::move(statement).error().in(path);
  Source source;
  for (auto& blob : parcel->blobs) source.blobs.emplace(blob.sha256, std::move(blob.bytes));
  source.blobs.emplace(kEmptyDigestHex, "");
  // The last word on each table counts.
  std::map<std::string, TableRef> latest;
  for (const auto& record : statement->bundle.records) {
    const auto* observation = std::get_if<Observation>(&record);
    if (observation == nullptr) continue;
    source.now = format_second(observation->now);
    const auto* content = std::get_if<RunContent>(&observation->content);
    if (content == nullptr) continue;
    for (const auto& table : content->tables) latest[table.name] = table;
    for (const auto& input : content->inputs) {
      if (input.name != "columns" || !source.blobs.contains(input.sha256)) continue;
      auto schemas = policy::read_columns_blob(source.blobs[input.sha256]);
      if (!schemas) return std::move(schemas).error().in(path);
      source.schemas.merge(*schemas);
    }
  }
  if (source.schemas.empty()) {
    return Error{
        Errc::not_found,
        fmt::format("{}: it does not hold the `columns` of its tables: they were sent with "
                    "an earlier parcel of this agent; query that, or the store",
                    path)};
  }
  for (auto& [name, ref] : latest) source.tables.push_back(std::move(ref));
  return source;
}

// Makes every table empty and asks the query what it reads.
Result<policy::QueryShape> inspect(const policy::SchemaMap& schemas, const std::string& sql) {
  auto sandbox = policy::Sandbox::open();
  if (!sandbox) return std::move(sandbox).error();
  std::vector<std::string> names;
  for (const auto& [name, schema] : schemas) {
    auto added = sandbox->add_table(schema);
    if (!added) return std::move(added).error();
    names.push_back(name);
  }
  auto gaps = sandbox->add_table(gaps_schema());
  if (!gaps) return std::move(gaps).error();
  names.emplace_back("gaps");
  auto shape = sandbox->inspect(sql, names);
  if (!shape && shape.error().message.find("no such table") != std::string::npos) {
    return Error{Errc::not_found, shape.error().message + "; `vouch query --tables` lists them"};
  }
  return shape;
}

Result<policy::QueryResult> run_sql(const Source& source, const policy::QueryShape& shape,
                                    const std::string& sql) {
  auto sandbox = policy::Sandbox::open();
  if (!sandbox) return std::move(sandbox).error();
  for (const auto& name : shape.tables) {
    const auto& schema = name == "gaps" ? gaps_schema() : source.schemas.find(name)->second;
    auto added = sandbox->add_table(schema);
    if (!added) return std::move(added).error();
    for (const auto& table : source.tables) {
      if (table.name != name || table.error) continue;
      const auto blob = source.blobs.find(table.sha256);
      if (blob == source.blobs.end()) {
        return Error{Errc::not_found,
                     fmt::format("table {} was sent with an earlier parcel of this "
                                 "agent: query that, or the store",
                                 name)};
      }
      auto loaded = sandbox->load(schema, blob->second);
      if (!loaded) return std::move(loaded).error();
    }
  }
  return sandbox->query(sql, shape.tables, {}, source.now);
}

// Errors and gaps of what was read, on the error stream. True: the answer is whole.
bool report_holes(const Source& source, const policy::QueryShape& shape, const Output& output) {
  bool whole = true;
  for (const auto& name : shape.tables) {
    const auto known = std::find_if(source.tables.begin(), source.tables.end(),
                                    [&](const auto& table) { return table.name == name; });
    if (known == source.tables.end()) {
      output.note(fmt::format("table {} is not here: it is empty in the answer", name));
      whole = false;
    } else if (known->error) {
      output.note(fmt::format("table {} could not be read, it is empty in the answer: {}: {}", name,
                              known->error->code, known->error->message));
      whole = false;
    }
  }
  for (const auto& table : source.tables) {
    const auto blob = source.blobs.find(table.sha256);
    if (table.name != "gaps" || table.error || blob == source.blobs.end()) continue;
    const auto rows = read_rows(blob->second);
    if (!rows) continue;
    for (const auto& row : *rows) {
      const auto& name = *row.at("table_name").if_string();
      if (std::find(shape.tables.begin(), shape.tables.end(), name) == shape.tables.end()) continue;
      output.note(fmt::format("table {} has a gap: {}: {}", name, *row.at("object").if_string(),
                              *row.at("message").if_string()));
      whole = false;
    }
  }
  return whole;
}

int list_tables(const policy::SchemaMap& schemas, const Output& output) {
  TextTable table({"table", "columns"});
  json::Object object;
  for (const auto& [name, schema] : schemas) {
    std::string columns;
    json::Object types;
    for (const auto& column : schema.columns) {
      const auto type = fmt::format("{}{}", to_string(column.type), column.nullable ? "?" : "");
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", column.name, type);
      types.emplace(column.name, type);
    }
    table.add({name, columns});
    object.emplace(name, std::move(types));
  }
  if (output.json) {
    output.write_json(object);
  } else {
    output.out << table.render(output.style);
  }
  return kExitPass;
}

}  // namespace

int run_query(const Arguments& arguments, Output& output) {
  const bool only_tables = arguments.has("--tables");
  if (only_tables != arguments.positional.empty()) {
    return output.fail({Errc::invalid, "query: it needs SQL, or --tables; see `vouch help query`"}),
           kExitUsage;
  }
  const auto parcel = arguments.value("--at");
  Result<Source> source = Source{};
  std::vector<agent::Collector> collectors;
  if (parcel) {
    source = open_parcel(*parcel);
    if (!source) return output.fail(source.error());
  } else {
    auto places = find_places(arguments);
    if (!places) return fail_configuration(places.error(), output);
    auto loaded = load_collectors(*places);
    if (!loaded) return output.fail(loaded.error());
    collectors = *std::move(loaded);
    for (const auto& collector : collectors) {
      for (const auto& table : collector.manifest.tables) source->schemas[table.name] = table;
    }
  }
  if (only_tables) return list_tables(source->schemas, output);
  const auto& sql = arguments.positional[0];
  auto shape = inspect(source->schemas, sql);
  if (!shape) return output.fail(shape.error());
  if (parcel) {
    output.note("the parcel is not verified here; `vouch verify` does that");
  } else {
    const SystemClock clock;
    agent::DirectRunner runner(clock);
    LiveOrder order{arguments.value("--root").value_or("/"), {}};
    order.tables = {shape->tables.begin(), shape->tables.end()};
    if (order.tables.empty()) order.tables.insert("");
    if (order.tables.contains("gaps")) order.tables.clear();
    auto live = collect_now(collectors, order, runner, clock);
    source->now = format_second(live.now);
    source->blobs = std::move(live.blobs);
    for (const auto& run : live.runs) {
      source->tables.insert(source->tables.end(), run.tables.begin(), run.tables.end());
    }
  }
  auto result = run_sql(*source, *shape, sql);
  if (!result) return output.fail(result.error());
  if (output.json) {
    output.write_json(rows_as_json(result->rows));
  } else {
    output.out << rows_as_text(result->rows, result->columns,
                               std::numeric_limits<std::size_t>::max(), output.style);
  }
  return report_holes(*source, *shape, output) ? kExitPass : kExitNotJudged;
}

}  // namespace vouch::cli
