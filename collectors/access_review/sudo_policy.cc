// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/sudo_policy.h"

#include <algorithm>
#include <set>

namespace vouch::access {
namespace {

constexpr std::size_t kSudoersBytesMax = 4 << 20;
constexpr std::size_t kFilesMax = 1000;
constexpr std::size_t kDirectoryEntriesMax = 10'000;
constexpr std::size_t kGrantsMax = 100'000;
constexpr int kIncludeDepthMax = 128;  // As sudo's own.
constexpr int kAliasDepthMax = 64;

// Reads one file after the other, depth first, as sudo does.
class Reader {
 public:
  explicit Reader(const Root& root) : root_(root) {}

  Result<SudoPolicy> read() {
    const std::string main = "/etc/sudoers";
    auto text = root_.read(main, kSudoersBytesMax);
    if (!text && text.error().code == Errc::not_found) return std::move(policy_);
    if (!text) return std::move(text).error();
    add(main, *text, 0);
    return std::move(policy_);
  }

 private:
  void gap(const std::string& object, Error error) {
    policy_.gaps.emplace_back(object, std::move(error));
  }

  void add(const std::string& path, std::string_view text, int depth) {
    const auto status = root_.stat(path);
    if (!status) return gap(path, status.error());
    SudoSource source{path, status->st_mode & 07777, status->st_uid, status->st_gid,
                      parse_sudoers(text)};
    const auto includes = source.content.includes;
    policy_.files.push_back(std::move(source));
    open_.insert(path);
    for (const SudoInclude& include : includes) follow(path, include, depth + 1);
    open_.erase(path);
  }

  void follow(const std::string& from, const SudoInclude& include, int depth) {
    std::string path = include.path;
    for (std::size_t at = path.find("%h"); at != std::string::npos; at = path.find("%h")) {
      path.replace(at, 2, short_host_name());
    }
    if (!path.starts_with('/')) path = from.substr(0, from.rfind('/') + 1) + path;
    if (!include.is_directory) return read_file(path, depth);

    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto names = root_.list(path, kDirectoryEntriesMax);
    if (!names && names.error().code == Errc::not_found) return;  // sudo accepts that.
    if (!names) return gap(path, names.error());
    for (const std::string& name : *names) {
      // sudo leaves out backups and what package managers drop.
      if (name.ends_with('~') || name.find('.') != std::string::npos) continue;
      const auto status = root_.stat(path + "/" + name);
      if (status && !S_ISREG(status->st_mode)) continue;
      read_file(path + "/" + name, depth);
    }
  }

  void read_file(const std::string& path, int depth) {
    if (depth > kIncludeDepthMax || open_.contains(path)) {
      return gap(path, {Errc::invalid, "is included by itself"});
    }
    if (policy_.files.size() >= kFilesMax) {
      return gap(path, {Errc::too_large, "more than 1,000 sudoers files"});
    }
    auto text = root_.read(path, kSudoersBytesMax);
    if (!text) return gap(path, std::move(text).error());
    add(path, *text, depth);
  }

  std::string short_host_name() const {
    std::string name = root_.read("/etc/hostname", 4096).value_or("localhost");
    name = name.substr(0, name.find_first_of(".\n \t"));
    // A name that is no name would walk through the tree, or be replaced for ever.
    if (name.empty() || name.find_first_of("/%") != std::string::npos) return "localhost";
    return name;
  }

  const Root& root_;
  SudoPolicy policy_;
  std::set<std::string> open_;  // The chain of includes that is being read.
};

class Expander {
 public:
  explicit Expander(const SudoPolicy& policy) : policy_(policy) {
    for (const SudoSource& file : policy.files) {
      for (const SudoDefault& option : file.content.defaults) {
        if (option.name == "runas_default" && option.scope.empty()) run_as_default_ = option.value;
      }
    }
  }

  Result<std::vector<SudoGrant>> expand() {
    for (const SudoSource& file : policy_.files) {
      for (const SudoRule& rule : file.content.rules) {
        for (const SudoPrivilege& privilege : rule.privileges) {
          if (!add(file.path, rule, privilege)) {
            return Error{Errc::too_large, "more than 100,000 sudo grants"};
          }
        }
      }
    }
    return std::move(grants_);
  }

 private:
  const SudoAlias* find(SudoAlias::Kind kind, const std::string& name) const {
    for (const SudoSource& file : policy_.files) {
      for (const SudoAlias& alias : file.content.aliases) {
        if (alias.kind == kind && alias.name == name) return &alias;
      }
    }
    return nullptr;
  }

  // Appends `items` with aliases replaced by their members; false: too many.
  bool flatten(SudoAlias::Kind kind, const std::vector<SudoItem>& items, bool negated, int depth,
               std::vector<SudoItem>& out) const {
    for (const SudoItem& item : items) {
      const bool is_negated = item.negated != negated;
      const SudoAlias* alias = item.text == "ALL" ? nullptr : find(kind, item.text);
      if (alias == nullptr || depth == kAliasDepthMax) {
        out.push_back({is_negated, item.text});
      } else if (!flatten(kind, alias->members, is_negated, depth + 1, out)) {
        return false;
      }
      if (out.size() > kGrantsMax) return false;
    }
    return true;
  }

  bool join(SudoAlias::Kind kind, const std::vector<SudoItem>& items, std::string& out) const {
    std::vector<SudoItem> flat;
    if (!flatten(kind, items, false, 0, flat)) return false;
    for (std::size_t i = 0; i < flat.size(); ++i) {
      if (i != 0) out += ',';
      if (flat[i].negated) out += '!';
      out += flat[i].text;
    }
    return true;
  }

  bool add(const std::string& source, const SudoRule& rule, const SudoPrivilege& privilege) {
    std::vector<SudoItem> users;
    std::string host;
    if (!flatten(SudoAlias::Kind::user, rule.users, false, 0, users) ||
        !join(SudoAlias::Kind::host, privilege.hosts, host)) {
      return false;
    }
    for (const SudoCommand& command : privilege.commands) {
      std::string run_as = command.run_as_given ? "" : run_as_default_;
      if (!join(SudoAlias::Kind::run_as, command.run_as_users, run_as)) return false;
      if (!command.run_as_groups.empty()) run_as += ':';
      if (!join(SudoAlias::Kind::run_as, command.run_as_groups, run_as)) return false;
      std::vector<SudoItem> commands;
      if (!flatten(SudoAlias::Kind::command, {command.command}, false, 0, commands)) return false;
      if (grants_.size() + users.size() * commands.size() > kGrantsMax) return false;
      for (const SudoItem& user : users) {
        for (const SudoItem& item : commands) {
          grants_.push_back({source, (user.negated ? "!" : "") + user.text, host, run_as, item.text,
                             item.negated, command.tags});
        }
      }
    }
    return true;
  }

  const SudoPolicy& policy_;
  std::string run_as_default_ = "root";
  std::vector<SudoGrant> grants_;
};

}  // namespace

Result<SudoPolicy> read_sudo_policy(const Root& root) {
  return Reader(root).read();
}

Result<std::vector<SudoGrant>> expand_grants(const SudoPolicy& policy) {
  return Expander(policy).expand();
}

}  // namespace vouch::access
