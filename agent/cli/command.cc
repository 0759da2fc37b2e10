// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

namespace vouch::cli {
namespace {

// Options that every command takes.
constexpr OptionSpec kCommon[] = {
    {"--format", "table|json", "how facts are printed; table unless given", false},
    {"--help", "", "this text", false},
};

const OptionSpec* find_option(const Command& command, std::string_view name) {
  for (const auto& option : command.options) {
    if (option.name == name) return &option;
  }
  for (const auto& option : kCommon) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

Error usage_error(const Command& command, std::string_view what) {
  return {Errc::invalid,
          fmt::format("{}: {}; see `vouch help {}`", command.name, what, command.name)};
}

// How many letters differ: for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The command that the words begin with; `used` is how many words its name takes.
const Command* find_command(std::span<const std::string> words, std::size_t& used) {
  for (used = 2; used > 0; --used) {
    if (words.size() < used) continue;
    const auto name = used == 2 ? words[0] + " " + words[1] : words[0];
    for (const auto& command : commands()) {
      if (command.name == name) return &command;
    }
  }
  return nullptr;
}

int unknown_command(const std::string& word, const Output& output) {
  constexpr std::size_t kLettersMax = 2;
  std::string hint;
  for (const auto& command : commands()) {
    const auto first = command.name.substr(0, command.name.find(' '));
    if (first == word || distance(word, first) <= kLettersMax) {
      hint = fmt::format("; did you mean `vouch {}`?", command.name);
    }
  }
  output.err << fmt::format("vouch: there is no command \"{}\"{}{}\n", printable(word), hint,
                            hint.empty() ? "; see `vouch help`" : "");
  return kExitUsage;
}

int show_help(std::span<const std::string> words, const Output& output) {
  if (words.empty()) {
    output.out << overview();
    return kExitPass;
  }
  std::size_t used = 0;
  const auto* command = find_command(words, used);
  if (command == nullptr) return unknown_command(words[0], output);
  output.out << help_of(*command);
  return kExitPass;
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto it = options.find(option);
  if (it == options.end() || it->second.empty()) return std::nullopt;
  return it->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  const auto it = options.find(option);
  return it == options.end() ? std::vector<std::string>() : it->second;
}

void Output::write_json(const json::Value& value) const {
  out << json::write_pretty(value) << '\n';
}

int Output::fail(const Error& error) const {
  err << "vouch: " << printable(error.message) << '\n';
  return exit_code(error.code);
}

void Output::note(std::string_view message) const {
  err << coloured("note: ", Colour::dim, style) << printable(message) << '\n';
}

int exit_code(Errc code) {
  switch (code) {
    case Errc::not_found:
      return kExitNoInput;
    case Errc::denied:
      return kExitDenied;
    case Errc::invalid:
    case Errc::corrupt:
    case Errc::too_large:
      return kExitData;
    case Errc::timeout:
    case Errc::unavailable:
      return kExitUnavailable;
    case Errc::unsupported:
    case Errc::exists:
    case Errc::tool_failed:
    case Errc::other:
      return kExitSoftware;
  }
  return kExitSoftware;
}

Result<Arguments> parse_arguments(const Command& command, std::span<const std::string> words) {
  Arguments arguments;
  bool only_positional = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (only_positional || !word.starts_with("--")) {
      if (!only_positional && word.size() > 1 && word[0] == '-') {
        return usage_error(command, fmt::format("options are written --name, not {}", word));
      }
      arguments.positional.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positional = true;
      continue;
    }
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto* option = find_option(command, name);
    if (option == nullptr) return usage_error(command, fmt::format("no option {}", name));
    auto& values = arguments.options[name];
    if (!values.empty() && !option->repeats) {
      return usage_error(command, fmt::format("{} is given twice", name));
    }
    if (option->value.empty()) {
      if (equals != std::string::npos) {
        return usage_error(command, fmt::format("{} takes no value", name));
      }
      values.emplace_back();
    } else if (equals != std::string::npos) {
      values.push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      values.push_back(words[++i]);
    } else {
      return usage_error(command,
                         fmt::format("{} needs a value: {} {}", name, name, option->value));
    }
  }
  const auto format = arguments.value("--format").value_or("table");
  if (format != "table" && format != "json") {
    return usage_error(command, fmt::format("--format is table or json, not {}", format));
  }
  const auto count = arguments.positional.size();
  if (!arguments.has("--help") && count < command.positional_min) {
    return usage_error(command, fmt::format("it needs {}", command.arguments));
  }
  if (count > command.positional_max) {
    return usage_error(command, fmt::format("\"{}\" is one argument too many",
                                            arguments.positional[command.positional_max]));
  }
  return arguments;
}

int run_vouch(std::span<const std::string> words, Output& output) {
  if (words.empty()) {
    output.err << overview();
    return kExitUsage;
  }
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    return show_help(words.subspan(1), output);
  }
  std::vector<std::string> version{"version"};
  if (words[0] == "--version") words = version;
  std::size_t used = 0;
  const auto* command = find_command(words, used);
  if (command == nullptr) return unknown_command(words[0], output);
  auto arguments = parse_arguments(*command, words.subspan(used));
  if (!arguments) {
    output.err << "vouch: " << printable(arguments.error().message) << '\n';
    return kExitUsage;
  }
  if (arguments->has("--help")) {
    output.out << help_of(*command);
    return kExitPass;
  }
  output.json = arguments->value("--format") == "json";
  return command->run(*arguments, output);
}

std::string help_of(const Command& command) {
  std::string text =
      fmt::format("vouch {}{}{}\n\n{}\n", command.name, command.arguments.empty() ? "" : " ",
                  command.arguments, command.text);
  std::vector<OptionSpec> options = command.options;
  options.insert(options.end(), std::begin(kCommon), std::end(kCommon));
  text += "\nOptions:\n";
  for (const auto& option : options) {
    const auto head = option.value.empty() ? std::string(option.name)
                                           : fmt::format("{} {}", option.name, option.value);
    text += fmt::format("  {:<24} {}{}\n", head, option.help,
                        option.repeats ? " (may be repeated)" : "");
  }
  return text + fmt::format("\nExample:\n{}\n", command.example);
}

}  // namespace vouch::cli
