// SPDX-License-Identifier: Apache-2.0
// Lines of a command, and values behind JSON pointers: what a program or a server sends.
#include <cstdlib>

#include "collectors/command/output.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const unsigned choice = data[0];
  text.remove_prefix(1);
  vouch::sdk::DeclaredTable table;
  for (const auto type : {vouch::sdk::Type::text, vouch::sdk::Type::integer, vouch::sdk::Type::time,
                          vouch::sdk::Type::boolean}) {
    vouch::sdk::DeclaredColumn column;
    column.name = std::string(1, static_cast<char>('a' + table.columns.size()));
    column.type = type;
    if (choice % 2 == 0) column.null_means = "none";
    table.columns.push_back(column);
  }
  // The pointer of one column is the input's own first word.
  table.columns[0].from = std::string(text.substr(0, text.find(' ')));
  if (!vouch::sdk::resolve_pointers(table)) return 0;
  const vouch::command::OutputForm form{static_cast<vouch::command::Format>(choice / 2 % 3),
                                        choice / 6 % 2 == 1};
  const auto status = read_output(table, form, text, [&](std::size_t, const auto& values) {
    if (values && values->size() != table.columns.size()) std::abort();
  });
  static_cast<void>(status.has_value());
  return 0;
}
