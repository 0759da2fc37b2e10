// SPDX-License-Identifier: Apache-2.0
// A command of `vouch`: its name, options and help as data, and the function that runs it.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/text_table.h"

namespace vouch::cli {

// Exit codes (sysexits(3) from 64 on); `vouch help` lists them.
inline constexpr int kExitPass = 0;
inline constexpr int kExitFail = 1;
inline constexpr int kExitNotJudged = 2;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitData = 65;
inline constexpr int kExitNoInput = 66;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitSoftware = 70;
inline constexpr int kExitDenied = 77;
inline constexpr int kExitConfig = 78;

struct OptionSpec {
  std::string_view name;   // "--root"
  std::string_view value;  // "DIR"; empty: a switch.
  std::string_view help;
  bool repeats = false;
};

// What was typed after the command's name.
class Arguments {
 public:
  std::vector<std::string> positional;
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  // The value of an option; nothing if it was not given.
  [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view option) const;
};

// Where a command writes, and how.
struct Output {
  std::ostream& out;
  std::ostream& err;
  TerminalStyle style;
  bool json = false;

  // Facts: one JSON document, indented, for --format json.
  void write_json(const json::Value& value) const;
  // "vouch: <message>" on the error stream; returns the exit code of the error.
  int fail(const Error& error) const;
  void note(std::string_view message) const;
};

struct Command {
  std::string_view name;       // "check", "policy test"
  std::string_view arguments;  // "[CHECK…]"
  std::string_view summary;    // One line for the overview.
  std::string_view text;       // What it does, what it prints, what its exit code says.
  std::string_view example;    // Lines that can be copied.
  std::vector<OptionSpec> options;
  std::size_t positional_min = 0;
  std::size_t positional_max = 0;
  int (*run)(const Arguments& arguments, Output& output) = nullptr;
};

// Every command, in the order of the overview.
const std::vector<Command>& commands();
std::vector<Command> agent_commands();  // Those of commands_agent.cc, among them.

// Reads options (also `--name=value`; `--` ends them) and positional arguments. Errc::invalid says
// what is wrong and what is allowed.
Result<Arguments> parse_arguments(const Command& command, std::span<const std::string> words);

// Runs `vouch` with the words after the program's name; returns the exit code.
int run_vouch(std::span<const std::string> words, Output& output);

// `vouch help`, and `vouch help COMMAND`.
std::string overview();
std::string help_of(const Command& command);

int exit_code(Errc code);

// The commands.
int run_alert_list(const Arguments& arguments, Output& output);
int run_alert_test(const Arguments& arguments, Output& output);
int run_attachment_add(const Arguments& arguments, Output& output);
int run_attachment_list(const Arguments& arguments, Output& output);
int run_baseline_approve(const Arguments& arguments, Output& output);
int run_baseline_list(const Arguments& arguments, Output& output);
int run_check(const Arguments& arguments, Output& output);
int run_collect(const Arguments& arguments, Output& output);
int run_collectors(const Arguments& arguments, Output& output);
int run_config_check(const Arguments& arguments, Output& output);
int run_doctor(const Arguments& arguments, Output& output);
int run_enroll(const Arguments& arguments, Output& output);
int run_explain(const Arguments& arguments, Output& output);
int run_pause(const Arguments& arguments, Output& output);
int run_key_rotate(const Arguments& arguments, Output& output);
int run_key_show(const Arguments& arguments, Output& output);
int run_parcel_export(const Arguments& arguments, Output& output);
int run_parcel_import(const Arguments& arguments, Output& output);
int run_policy_test(const Arguments& arguments, Output& output);
int run_query(const Arguments& arguments, Output& output);
int run_resume(const Arguments& arguments, Output& output);
int run_status(const Arguments& arguments, Output& output);
int run_verify(const Arguments& arguments, Output& output);
int run_version(const Arguments& arguments, Output& output);

}  // namespace vouch::cli
