// SPDX-License-Identifier: Apache-2.0
// The tables of defaults for everybody: useradd_defaults, shell_settings.
#include <string>
#include <vector>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts.h"
#include "collectors/access_review/file_token.h"
#include "collectors/access_review/hidden_directories.h"
#include "collectors/access_review/shell_settings.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kConfigBytesMax = 1 << 20;

Status collect_useradd_defaults(Context& context, Rows& rows) {
  const auto text = context.root().read("/etc/default/useradd", kConfigBytesMax);
  if (!text && text.error().code == Errc::not_found) return Ok{};  // useradd's own hold.
  if (!text) return text.error();
  for (const auto& [name, value] : parse_useradd_defaults(*text)) rows.add({name, value});
  return Ok{};
}

std::vector<std::string> shell_files(const Root& root) {
  std::vector<std::string> files;
  for (const char* pattern :
       {"/etc/environment", "/etc/profile", "/etc/profile.d/*.sh", "/etc/profile.d/*.csh",
        "/etc/bash.bashrc", "/etc/bashrc", "/etc/csh.cshrc", "/etc/csh.login", "/etc/zprofile",
        "/etc/zshenv", "/etc/zshrc", "/etc/zsh/zprofile", "/etc/zsh/zshenv", "/etc/zsh/zshrc"}) {
    for (std::string& path : facts::glob_paths(root, pattern)) files.push_back(std::move(path));
  }
  return files;
}

Status collect_shell_settings(Context& context, Rows& rows) {
  tell_hidden_directories(context.root(), rows, {"/etc/profile.d", "/etc/zsh"});
  const std::vector<std::string> files = shell_files(context.root());
  std::vector<std::string> inputs = files;
  inputs.emplace_back("/etc/profile.d");
  if (rows.unchanged(file_token(context.root(), "shell_settings 1", inputs))) return Ok{};
  for (const std::string& path : files) {
    const auto text = context.root().read(path, kConfigBytesMax);
    if (!text) {
      rows.gap(path, text.error());
      continue;
    }
    for (const ShellSetting& setting : parse_shell_settings(*text)) {
      rows.add({path, setting.line, setting.name, setting.value, setting.readonly, setting.exported,
                setting.conditional});
    }
  }
  return Ok{};
}

}  // namespace

sdk::Table useradd_defaults_table() {
  return {.name = "useradd_defaults",
          .title = "Defaults of useradd for new accounts",
          .columns = {sdk::text("name", "Setting").key(), sdk::text("value", "Value")},
          .collect = collect_useradd_defaults};
}

sdk::Table shell_settings_table() {
  return {.name = "shell_settings",
          .title = "Idle time and umask in the start files of shells",
          .columns = {sdk::bytes("source", "File").key(), sdk::integer("line", "Line").key(),
                      sdk::text("name", "TMOUT, umask, autologout").key(), sdk::occurrence(),
                      sdk::bytes("value", "As written; unset; empty where only a mark is set"),
                      sdk::boolean("readonly", "The line marks it so"),
                      sdk::boolean("exported", "The line does"),
                      sdk::boolean("conditional", "Holds only if an if, a case or a test says so")},
          .collect = collect_shell_settings};
}

}  // namespace vouch::access
