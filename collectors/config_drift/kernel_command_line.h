// SPDX-License-Identifier: Apache-2.0
// What the kernel was started with, and what the boot loader's files will start it with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct KernelParameter {
  std::string name;
  std::optional<std::string> value;  // None: the name alone, as in "quiet".
};

// Words as the kernel cuts them: quotes keep blanks, what follows "--" is init's. Secrets are
// redacted.
std::vector<KernelParameter> parse_command_line(std::string_view text);

// Variables of a shell, of GRUB or of a grubenv file.
using Variables = std::map<std::string, std::string, std::less<>>;

// $NAME and ${NAME} replaced where they are known.
std::string with_variables(std::string_view text, const Variables& variables);

struct BootEntry {
  std::string title;
  std::string command_line;
};
// The `linux` lines of a grub.cfg. `variables` are known before, as from grubenv.
std::vector<BootEntry> parse_grub_entries(std::string_view text, Variables variables);
// One file of the Boot Loader Specification (/boot/loader/entries).
BootEntry parse_loader_entry(std::string_view text, const Variables& variables);
// NAME=VALUE lines, comments and blanks passed over: grubenv, /etc/default/grub.
void read_assignments(std::string_view text, Variables& variables);

struct CommandLine {
  std::string scope;  // "running", "boot" (what an entry will start), "template" (of entries).
  std::string source;
  std::string entry;
  std::string text;
};
struct CommandLines {
  std::vector<CommandLine> lines;
  std::vector<std::pair<std::string, Error>> gaps;
};
// Those of the files; the running one is the caller's.
CommandLines read_boot_command_lines(const Root& root);

}  // namespace vouch::drift
