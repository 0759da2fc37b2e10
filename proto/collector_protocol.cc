// SPDX-License-Identifier: Apache-2.0
#include "proto/collector_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proto/fields.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch {
namespace {

constexpr std::array<std::string_view, 19> kViolationNames = {"no-end",
                                                              "after-end",
                                                              "count-mismatch",
                                                              "missing-table",
                                                              "undeclared",
                                                              "wrong-type",
                                                              "duplicate-key",
                                                              "protocol",
                                                              "cache",
                                                              "line-too-long",
                                                              "output-too-large",
                                                              "bad-utf8",
                                                              "nul",
                                                              "bad-json",
                                                              "exit",
                                                              "signal",
                                                              "limit",
                                                              "deadline",
                                                              "crash"};

template <class Io, class T>
void describe(Io& io, T& request) {
  io.text("run", request.run, Form::run);
  io.texts("tables", request.tables, Form::plain_name, kCollectorTablesMax + 1);
  io.text("root", request.root, Form::word);
  io.integer("deadline_ms", request.deadline_ms);
  io.text("cache_dir", request.cache_dir, Form::word);
}

}  // namespace

std::string_view to_string(Violation violation) {
  return kViolationNames.at(static_cast<std::size_t>(violation));
}

Result<Violation> parse_violation(std::string_view text) {
  const auto found = std::ranges::find(kViolationNames, text);
  if (found == kViolationNames.end()) {
    return Error{Errc::invalid, "expected a reason of run-failed"};
  }
  return static_cast<Violation>(found - kViolationNames.begin());
}

std::string write_request(const RunRequest& request) {
  FieldWriter io;
  io.put("protocol", kCollectorProtocol);
  describe(io, request);
  io.put("options", request.options);
  if (!request.cache.empty()) {
    json::Object cache;
    for (const auto& [table, token] : request.cache) cache[table] = json::Object{{"token", token}};
    io.put("cache", std::move(cache));
  }
  return json::write(io.take()) + "\n";
}

Result<RunRequest> parse_request(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto value = json::parse(line);
  if (!value) return Error(value.error()).in("request");

  RunRequest request;
  FieldProblem problem;
  FieldReader io(*value, "", problem);
  std::int64_t protocol = 0;
  io.integer("protocol", protocol, kCollectorProtocol, kCollectorProtocol);
  describe(io, request);
  io.object("options", [&](FieldReader& options) { request.options = options.value(); });
  if (const auto* cache = value->find("cache")) {
    if (!cache->if_object()) io.fail("cache", "expected an object");
    for (const auto& [table, entry] : cache->if_object() ? *cache->if_object() : json::Object{}) {
      FieldReader inner(entry, "/cache/" + table, problem);
      inner.text("token", request.cache[table]);
    }
  }
  if (problem.error()) return Error(*problem.error()).in("request");
  return request;
}

const TableAnswer* Snapshot::find(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &TableAnswer::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace vouch
