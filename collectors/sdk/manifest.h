// SPDX-License-Identifier: Apache-2.0
// What a collector says of itself: its tables, columns, options and needs. It is what `--describe`
// prints (docs/formats/collector-protocol.md) and what the SDK checks each row against.
//
//   sdk::Collector make_example() {
//     return {.name = "example", .title = "Zones of the host", .interval_s = 3600, .deadline_s =
//     30,
//             .tables = {{.name = "zones", .title = "Time zones",
//                         .columns = {sdk::text("name", "Zone").key(),
//                                     sdk::integer("offset_s", "East of UTC").nullable("unknown
//                                     zone")},
//                         .collect = collect_zones}}};
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/redact.h"
#include "core/result.h"

namespace vouch::sdk {

class Context;  // collectors/sdk/context.h
class Rows;     // collectors/sdk/context.h

// `bytes` is for what may hold any byte (file names, command lines): the SDK escapes it.
enum class Type { text, bytes, integer, boolean, time };

struct Column {
  std::string_view name;
  Type type = Type::text;
  std::string_view title;
  bool is_key = false;
  std::string_view null_means = {};       // Empty: never null.
  Redaction redaction = Redaction::none;  // Applied by the SDK, and again by the runner.
  bool is_personal = false;               // Says something about a person.
  bool is_occurrence = false;             // Filled by the SDK: see occurrence().

  [[nodiscard]] Column key() const;
  [[nodiscard]] Column nullable(std::string_view what_null_means) const;
  [[nodiscard]] Column redact(Redaction rule) const;
  [[nodiscard]] Column personal() const;
};

Column text(std::string_view name, std::string_view title);
Column bytes(std::string_view name, std::string_view title);
Column integer(std::string_view name, std::string_view title);
Column boolean(std::string_view name, std::string_view title);
Column time(std::string_view name, std::string_view title);
// The key column `occurrence`: counts from 1 the rows whose other key cells are equal (after
// escaping and redaction), in the order of emission. Collectors leave it out of their rows.
Column occurrence();

struct Table {
  std::string_view name;
  std::string_view title;
  std::vector<Column> columns;
  bool is_volatile = false;  // Changes by itself: a reason to seal, no drift.
  std::vector<std::string_view> capabilities = {};  // Such as "CAP_DAC_READ_SEARCH".
  // Emits the rows, or says why it cannot: then the table is an `error` line, whatever was emitted.
  std::function<Status(Context&, Rows&)> collect = nullptr;
};

// `objects` is a list of objects whose members are texts: see Option::members.
enum class OptionType { text, texts, integer, boolean, objects };

struct OptionMember {
  std::string_view name;
  std::string_view title;
  bool is_required = false;
};

struct Option {
  std::string_view name;
  OptionType type = OptionType::text;
  std::string_view title;                  // Says the default, too.
  std::vector<OptionMember> members = {};  // Of each object; others are refused.
};

struct Collector {
  std::string_view name;
  std::string_view title;
  std::int64_t interval_s = 3600;
  std::int64_t deadline_s = 30;
  std::vector<Option> options = {};
  bool needs_network = false;
  bool needs_cache_dir = false;
  std::vector<Table> tables = {};  // Collected in this order, whatever the order of the request.
  // Where a site declares further tables: gives the collector with all of them, or says what is
  // wrong with the options. What the names of the tables view must live as long as that collector.
  std::function<Result<Collector>(const Collector&, const json::Object& options)> configure =
      nullptr;

  [[nodiscard]] const Table* find(std::string_view table) const;
};

// The manifest as one line of canonical JSON, without LF. The version is the project's.
std::string describe(const Collector& collector);

}  // namespace vouch::sdk
