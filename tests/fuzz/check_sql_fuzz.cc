// SPDX-License-Identifier: Apache-2.0
// SQL of any bytes is refused or run; the tables are the same afterwards, and the answer is too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "policies/engine/sandbox.h"

namespace {

using vouch::policy::Sandbox;

Sandbox make_sandbox() {
  vouch::policy::SandboxLimits limits;
  limits.work_max = 1'000'000;
  limits.memory_bytes_max = 16u << 20;
  auto sandbox = Sandbox::open(limits);
  vouch::TableSchema schema;
  schema.name = "t";
  schema.key = {"name"};
  schema.columns.resize(2);
  schema.columns[0].name = "name";
  schema.columns[1].name = "size";
  schema.columns[1].type = vouch::ColumnType::integer;
  if (!sandbox || !sandbox->add_table(schema)) std::abort();
  if (!sandbox->load(schema, "{\"name\":\"a\",\"size\":1}\n{\"name\":\"b\",\"size\":2}\n"))
    std::abort();
  return *std::move(sandbox);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> readable{"t"};
  auto sandbox = make_sandbox();
  const auto first = sandbox.query(sql, readable, {}, "2026-01-01T00:00:00Z");
  const auto whole = sandbox.query("SELECT count(*) AS n, sum(size) AS s FROM t", readable, {}, "");
  if (!whole || vouch::json::write(whole->rows.at(0)) != R"({"n":2,"s":3})") std::abort();
  const auto again = sandbox.query(sql, readable, {}, "2026-01-01T00:00:00Z");
  if (first.has_value() != again.has_value()) std::abort();
  if (first && first->rows != again->rows) std::abort();
  return 0;
}
