// SPDX-License-Identifier: Apache-2.0
// The table user_dot_files: files in homes that hold credentials, grant access, or are run at
// login.
#include <fmt/format.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/facts/file_mode.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

struct DotFile {
  std::string_view name;
  std::string_view kind;
};

// A fixed list: a home may hold millions of files, and is not searched.
constexpr std::array<DotFile, 29> kDotFiles{{{".ssh", "access"},
                                             {".ssh/authorized_keys", "access"},
                                             {".ssh/authorized_keys2", "access"},
                                             {".ssh/environment", "access"},
                                             {".ssh/rc", "startup"},
                                             {".ssh/config", "startup"},
                                             {".rhosts", "access"},
                                             {".shosts", "access"},
                                             {".k5login", "access"},
                                             {".forward", "startup"},
                                             {".profile", "startup"},
                                             {".bash_profile", "startup"},
                                             {".bash_login", "startup"},
                                             {".bash_logout", "startup"},
                                             {".bashrc", "startup"},
                                             {".zshenv", "startup"},
                                             {".zprofile", "startup"},
                                             {".zshrc", "startup"},
                                             {".cshrc", "startup"},
                                             {".login", "startup"},
                                             {".bash_history", "history"},
                                             {".netrc", "credential"},
                                             {".pgpass", "credential"},
                                             {".my.cnf", "credential"},
                                             {".git-credentials", "credential"},
                                             {".aws/credentials", "credential"},
                                             {".kube/config", "credential"},
                                             {".docker/config.json", "credential"},
                                             {".google_authenticator", "credential"}}};

// A link is shown as one, with the owner and mode of what it leads to, if that is there. False: the
// home itself cannot be looked into.
bool add_file(Context& context, Rows& rows, const std::string& user, const std::string& home,
              const DotFile& file) {
  const std::string path = fmt::format("{}/{}", home, file.name);
  const auto own = context.root().lstat(path);
  if (!own && own.error().code == Errc::not_found) return true;
  if (!own) {
    const bool is_home = own.error().code == Errc::denied && file.name.find('/') == file.name.npos;
    rows.gap(is_home ? home : path, own.error());
    return !is_home;
  }
  auto shown = *own;
  if (S_ISLNK(own->st_mode)) {
    if (const auto target = context.root().stat(path)) shown = *target;
  }
  rows.add({user, path, file.kind, facts::type_name(own->st_mode), facts::mode_text(shown.st_mode),
            shown.st_uid, shown.st_gid});
  return true;
}

Status collect_dot_files(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  std::set<std::pair<std::string, std::string>> seen;
  for (const Account& account : *accounts) {
    const std::string& home = account.entry.directory;
    // Services share homes such as /bin and /usr/sbin, where nothing of theirs lies.
    if (!is_login_shell(account.entry.shell)) continue;
    if (home.empty() || home == "/" || !seen.emplace(account.entry.name, home).second) continue;
    const auto status = context.root().stat(home);
    if (!status) {
      if (status.error().code != Errc::not_found) rows.gap(home, status.error());
      continue;
    }
    for (const DotFile& file : kDotFiles) {
      if (!add_file(context, rows, account.entry.name, home, file)) break;
    }
  }
  return Ok{};
}

}  // namespace

sdk::Table user_dot_files_table() {
  return {.name = "user_dot_files",
          .title = "Files in homes of login accounts that hold credentials, grant access or run",
          .columns = {sdk::text("username", "Account").key(), sdk::bytes("path", "File").key(),
                      sdk::text("kind", "access, credential, history, startup"),
                      sdk::text("type", "regular, directory, symlink, fifo …"),
                      sdk::text("mode", "Four octal digits; of what a link leads to"),
                      sdk::integer("uid", "Owner"), sdk::integer("gid", "Group")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_dot_files};
}

}  // namespace vouch::access
