// SPDX-License-Identifier: Apache-2.0
// The members of run records, for proto/fields.h.
#pragma once

#include <string_view>
#include <variant>

#include "proto/fields.h"
#include "proto/limits.h"
#include "proto/record.h"

namespace vouch {

inline constexpr std::size_t kInputsMax = 1024;

Result<Trigger> parse_trigger(std::string_view text);

template <class Io, class T>
void describe_times(Io& io, T& times) {
  io.text("run", times.run, Form::run);
  io.name("trigger", times.trigger, parse_trigger,
          [](Trigger trigger) { return to_string(trigger); });
  io.second("scheduled", times.scheduled);
  io.instant("started", times.started);
  io.instant("finished", times.finished);
  io.integer("duration_ms", times.duration_ms);
}

template <class Io, class T>
void describe_collector(Io& io, T& collector) {
  io.text("name", collector.name, Form::collector);
  io.text("version", collector.version, Form::word);
  io.text("digest", collector.digest, Form::digest);
}

// One description for tables and inputs, which alone have `run`.
inline void describe_table_ref(FieldReader& io, TableRef& table, Form name) {
  io.text("name", table.name, name);
  if (io.has("error")) {
    io.object("error", table.error, [](FieldReader& inner, TableError& error) {
      inner.text("code", error.code, Form::error_code);
      inner.text("message", error.message, Form::message);
    });
    if (io.has("sha256") || io.has("rows") || io.has("unchanged")) {
      io.fail("error", "beside a digest, rows or unchanged");
    }
    return;
  }
  io.integer("rows", table.rows, 0, kTableRowsMax);
  io.text("sha256", table.sha256, Form::digest);
}

inline void describe_table_ref(FieldWriter& io, const TableRef& table, Form) {
  io.text("name", table.name);
  if (table.error) {
    io.object("error", table.error, [](FieldWriter& inner, const TableError& error) {
      inner.text("code", error.code);
      inner.text("message", error.message);
    });
    return;
  }
  io.integer("rows", table.rows);
  io.text("sha256", table.sha256);
}

template <class Io, class T>
void describe_content(Io& io, T& content) {
  io.object("collector", [&](auto& inner) { describe_collector(inner, content.collector); });
  io.objects("tables", content.tables, kCollectorTablesMax + 1, [](auto& inner, auto& table) {
    describe_table_ref(inner, table, Form::plain_name);
    inner.flag("unchanged", table.unchanged);
  });
  io.objects("inputs", content.inputs, kInputsMax, [](auto& inner, auto& table) {
    describe_table_ref(inner, table, Form::input_name);
    inner.text("run", table.run, Form::run);
  });
  io.text("policy", content.policy, Form::digest);
  io.text("engine", content.engine, Form::word);
  io.object("outcomes", [&](auto& inner) {
    inner.integer("rows", content.outcomes.rows, 0, kTableRowsMax);
    inner.text("sha256", content.outcomes.sha256, Form::digest);
  });
}

template <class Io, class T>
void describe_same_as(Io& io, T& same_as) {
  io.object("same_as", [&](auto& inner) {
    inner.integer("seq", same_as.seq);
    inner.text("run", same_as.run, Form::run);
  });
}

}  // namespace vouch
