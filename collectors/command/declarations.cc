// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/declarations.h"

#include <array>
#include <utility>

#include "core/yaml_section.h"

namespace vouch::command {
namespace {

constexpr std::size_t kArgumentsMax = 64;
constexpr std::size_t kExitsMax = 32;
constexpr std::int64_t kTimeoutSecondsMax = 3600;

constexpr std::array kFormats{std::pair{"jsonl", Format::jsonl}, std::pair{"tsv", Format::tsv},
                              std::pair{"csv", Format::csv}};
constexpr std::array kMeanings{
    std::pair{"rows", Meaning::rows}, std::pair{"nothing", Meaning::nothing},
    std::pair{"not-supported", Meaning::not_supported}, std::pair{"not-found", Meaning::not_found},
    std::pair{"permission-denied", Meaning::denied}};

template <class Names, class T>
void take_word(YamlSection& section, std::string_view key, const Names& names, T& out,
               std::string_view expected) {
  std::string word;
  const auto is_known = [&](std::string_view text) {
    for (const auto& [name, value] : names) {
      if (text == name) return true;
    }
    return false;
  };
  section.text(key, word, is_known, expected);
  for (const auto& [name, value] : names) {
    if (word == name) out = value;
  }
}

void take_exits(YamlSection& section, const yaml::Node& node, std::string_view file_name,
                std::map<int, Meaning>& exits) {
  if (node.kind != yaml::Node::Kind::sequence || node.items.size() > kExitsMax) {
    return section.fail(node, "exits: expected a list of at most 32 { code, means }");
  }
  for (const yaml::Node& item : node.items) {
    std::int64_t code = -1;
    Meaning meaning = Meaning::failed;
    YamlSection exit(item, file_name, "an exit");
    exit.number("code", code, parse_count, 0, 255);
    take_word(exit, "means", kMeanings, meaning,
              "rows, nothing, not-supported, not-found or permission-denied");
    if (code < 0 || meaning == Meaning::failed) exit.fail(item, "an exit has code and means");
    if (auto status = exit.finish(); !status) return section.fail(status.error());
    exits[static_cast<int>(code)] = meaning;
  }
}

Result<CommandSpec> read_command(const yaml::Node& node, std::string_view file_name) {
  CommandSpec spec;
  sdk::DeclaredTable table;
  YamlSection section(node, file_name, "a command");
  sdk::take_table(section, file_name, table);
  section.texts(
      "argv", spec.argv, kArgumentsMax,
      [](std::string_view word) { return word.find('\0') == std::string_view::npos; },
      "the program and its arguments");
  if (spec.argv.empty() || !spec.argv[0].starts_with('/')) {
    section.fail(node, "argv: expected the absolute path of a program, and its arguments");
  }
  if (table.name.empty() || table.columns.empty()) {
    section.fail(node, "a command needs table, argv and columns");
  }
  take_word(section, "format", kFormats, spec.form.format, "jsonl, tsv or csv");
  section.boolean("header", spec.form.has_header);
  if (spec.form.has_header && spec.form.format == Format::jsonl) {
    section.fail(node, "header: only lines of tsv and csv have one");
  }
  std::int64_t timeout_s = spec.timeout.count();
  section.number("timeout", timeout_s, parse_duration, 1, kTimeoutSecondsMax);
  spec.timeout = std::chrono::seconds(timeout_s);
  if (const yaml::Node* exits = section.take("exits"); exits != nullptr) {
    take_exits(section, *exits, file_name, spec.exits);
  }
  if (spec.form.format == Format::jsonl) {
    if (auto status = sdk::resolve_pointers(table); !status) {
      section.fail(node, status.error().message);
    }
  }
  if (auto status = section.finish(); !status) return status.error();
  spec.table = std::make_shared<const sdk::DeclaredTable>(std::move(table));
  return spec;
}

}  // namespace

Result<std::vector<CommandSpec>> read_commands(const sdk::Declarations& declarations) {
  std::vector<CommandSpec> commands;
  YamlSection section(declarations.node, declarations.path, "the commands of this site");
  const yaml::Node* list = section.take("commands");
  if (list == nullptr || list->kind != yaml::Node::Kind::sequence || list->items.empty()) {
    section.fail(list == nullptr ? declarations.node : *list, "commands: expected a list");
  } else {
    for (const yaml::Node& item : list->items) {
      auto command = read_command(item, declarations.path);
      if (!command) return std::move(command).error();
      commands.push_back(*std::move(command));
    }
  }
  if (auto status = section.finish(); !status) return status.error();
  return commands;
}

}  // namespace vouch::command
