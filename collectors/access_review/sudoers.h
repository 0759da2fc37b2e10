// SPDX-License-Identifier: Apache-2.0
// One sudoers file, parsed by the grammar of sudoers(5) without looking at any other file.
//
// A statement that does not parse is a fault and is skipped to the end of its line, as sudo does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"

namespace vouch::access {

// A member of a list: "ann", "%sudo", "#1000", "+netgroup", "ALL", an alias, a command.
struct SudoItem {
  bool negated = false;
  std::string text;  // Unquoted and unescaped.

  bool operator==(const SudoItem&) const = default;
};

struct SudoAlias {
  enum class Kind { user, run_as, host, command };
  Kind kind = Kind::user;
  std::string name;
  std::vector<SudoItem> members;
};

struct SudoDefault {
  std::string scope;  // "", "@web1", ":ann,%adm", "!/bin/ls", ">root".
  std::string name;
  std::string value;  // With "+=" or "-=" in front where the file has it.
  bool negated = false;
};

struct SudoCommand {
  SudoItem command;
  bool run_as_given = false;
  std::vector<SudoItem> run_as_users;
  std::vector<SudoItem> run_as_groups;
  std::vector<std::string> tags;  // In effect here: "NOPASSWD", "CWD=/tmp"; sorted.
};

struct SudoPrivilege {
  std::vector<SudoItem> hosts;
  std::vector<SudoCommand> commands;
};

struct SudoRule {
  int line = 0;
  std::vector<SudoItem> users;
  std::vector<SudoPrivilege> privileges;
};

struct SudoInclude {
  int line = 0;
  std::string path;
  bool is_directory = false;
};

struct SudoersFile {
  std::vector<SudoAlias> aliases;
  std::vector<SudoDefault> defaults;
  std::vector<SudoRule> rules;
  std::vector<SudoInclude> includes;
  std::vector<Fault> faults;  // Empty: `visudo -c` has nothing against its syntax.
};

SudoersFile parse_sudoers(std::string_view text);

}  // namespace vouch::access
