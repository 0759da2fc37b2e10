// SPDX-License-Identifier: Apache-2.0
#include "collectors/special_files/special_files.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/facts/file_mode.h"
#include "collectors/facts/lines.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/foreign_mounts.h"
#include "collectors/special_files/file_capabilities.h"
#include "collectors/special_files/tree_walk.h"
#include "core/digest.h"

namespace vouch::special_files {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kTextBytesMax = 16 << 20;
constexpr std::size_t kProgramBytesMax = 1u << 30;
constexpr std::size_t kReadBytes = 128 << 10;
constexpr std::size_t kFoundMax = 200'000;

struct Privileged {
  std::string path;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::string capabilities;  // Empty: none.
};

struct Unsafe {
  std::string path;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  bool world_writable = false, unowned_user = false, unowned_group = false;
};

struct Findings {
  std::vector<Privileged> privileged;
  std::vector<Unsafe> loose;
  std::vector<std::pair<std::string, Error>> gaps;
  std::optional<Error> failure;
};

// Which numbers belong to somebody: by the files, and on the host by NSS for what they do not have.
class Owners {
 public:
  Owners(const Root& root, const std::string& file, bool is_host, bool is_group)
      : is_host_(is_host), is_group_(is_group) {
    const auto text = root.read(file, kTextBytesMax);
    if (!text) {
      error_ = text.error();
      return;
    }
    facts::each_line(*text, [&](std::string_view line, int) {
      for (int skipped = 0; skipped < 2; ++skipped) {
        line.remove_prefix(std::min(line.size(), line.find(':') + 1));
      }
      std::uint32_t id = 0;
      const std::string_view field = line.substr(0, line.find(':'));
      const auto result = std::from_chars(field.data(), field.data() + field.size(), id);
      if (result.ec == std::errc() && !field.empty()) known_[id] = true;
    });
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  bool has(std::uint32_t id) {
    const auto found = known_.find(id);
    if (found != known_.end()) return found->second;
    const bool is_there = is_host_ && ask(id);
    known_.emplace(id, is_there);
    return is_there;
  }

 private:
  bool ask(std::uint32_t id) const {
    std::array<char, 64 << 10> buffer;
    if (is_group_) {
      group entry;
      group* found = nullptr;
      ::getgrgid_r(id, &entry, buffer.data(), buffer.size(), &found);
      return found != nullptr;
    }
    passwd entry;
    passwd* found = nullptr;
    ::getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr;
  }

  bool is_host_;
  bool is_group_;
  std::map<std::uint32_t, bool> known_;
  std::optional<Error> error_;
};

class Collecting : public TreeVisitor {
 public:
  Collecting(Context& context, Findings& out)
      : context_(context),
        out_(out),
        users_(context.root(), "/etc/passwd", context.is_host(), false),
        groups_(context.root(), "/etc/group", context.is_host(), true) {
    if (users_.error()) out_.failure = users_.error();
    if (groups_.error()) out_.failure = groups_.error();
  }

  void file(const WalkedFile& file, const std::function<std::string()>& path) override {
    const mode_t mode = file.mode;
    const bool is_regular = S_ISREG(mode);
    std::string capabilities;
    if (is_regular && (mode & 0111) != 0) capabilities = capabilities_of(file, path);
    if (is_regular && ((mode & (S_ISUID | S_ISGID)) != 0 || !capabilities.empty())) {
      if (out_.privileged.size() >= kFoundMax) return overflow();
      out_.privileged.push_back({path(), file.mode, file.uid, file.gid, std::move(capabilities)});
    }
    // A directory for all with the sticky bit is as it should be; sockets and links have no say.
    const bool is_shared_directory = S_ISDIR(mode) && (mode & S_ISVTX) != 0;
    const bool counts = is_regular || (S_ISDIR(mode) && !is_shared_directory) || S_ISBLK(mode) ||
                        (S_ISCHR(mode) && !file.is_device_zero);
    const bool is_open = counts && (mode & S_IWOTH) != 0;
    const bool no_user = !users_.has(file.uid);
    const bool no_group = !groups_.has(file.gid);
    if (!is_open && !no_user && !no_group) return;
    std::string where = path();
    const bool is_device = S_ISCHR(mode) || S_ISBLK(mode);
    if (is_device && !no_user && !no_group && where.starts_with("/dev/")) return;  // /dev/null
    if (out_.loose.size() >= kFoundMax) return overflow();
    out_.loose.push_back(
        {std::move(where), file.mode, file.uid, file.gid, is_open, no_user, no_group});
  }

  void gap(const std::string& path, const Error& error) override {
    out_.gaps.emplace_back(path, error);
  }

  bool is_over() override { return context_.remaining().count() == 0; }

 private:
  void overflow() { out_.failure = Error{Errc::too_large, "over 200,000 files; see `exclude`"}; }

  std::string capabilities_of(const WalkedFile& file, const std::function<std::string()>& path) {
    // There is no fgetxat before Linux 6.13: the file is named by its directory's descriptor.
    if (directory_ != file.directory) {
      directory_ = file.directory;
      prefix_ = fmt::format("/proc/self/fd/{}/", directory_);
    }
    name_.assign(prefix_).append(file.name);
    std::array<char, 64> value;
    const ssize_t size =
        ::lgetxattr(name_.c_str(), "security.capability", value.data(), value.size());
    if (size >= 0) {
      return file_capabilities_text({value.data(), static_cast<std::size_t>(size)});
    }
    if (errno == ERANGE) return "invalid";
    if (errno != ENODATA && errno != ENOTSUP && errno != ENOENT) {
      gap(path(), errno_error("read security.capability", errno));
    }
    return "";
  }

  Context& context_;
  Findings& out_;
  Owners users_;
  Owners groups_;
  int directory_ = -1;
  std::string prefix_;
  std::string name_;
};

// Images of other systems: what lends privilege there lends it inside containers.
std::vector<std::string> default_exclude() {
  return {"/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/snap"};
}

// Where not to go. Without the host's mount table nothing is known of dead servers, so no walk.
Result<TreeOptions> options_of(Context& context) {
  TreeOptions options;
  options.excluded = context.texts_option("exclude", default_exclude());
  for (std::string& path : options.excluded) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (!path.starts_with('/')) return Error{Errc::invalid, "option exclude: not absolute"};
  }
  auto foreign = sdk::foreign_mounts(context.root());
  if (!foreign && context.is_host()) return foreign.error();
  if (foreign) options.untouched = *std::move(foreign);
  return options;
}

Findings find(Context& context) {
  Findings findings;
  const auto options = options_of(context);
  if (!options) {
    findings.failure = options.error();
    return findings;
  }
  Collecting collecting(context, findings);
  if (findings.failure) return findings;
  const auto entries = walk_tree(context.root(), *options, collecting);
  if (!entries) {
    findings.failure = entries.error();
  } else {
    context.log("debug", fmt::format("walked {} entries", *entries));
  }
  return findings;
}

struct FindOnce {
  Context& context;
  Findings operator()() const { return find(context); }
};

Result<std::string> digest_of(Context& context, const std::string& path) {
  const auto file = context.root().open_file(path);
  if (!file) return file.error();
  Sha256 digest;
  std::string buffer(kReadBytes, '\0');
  for (std::size_t total = 0; total <= kProgramBytesMax;) {
    const ssize_t count = ::read(file->get(), buffer.data(), buffer.size());
    if (count < 0) return errno_error("read " + path, errno);
    if (count == 0) return digest.finish_hex();
    digest.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    total += static_cast<std::size_t>(count);
  }
  return Error{Errc::too_large, "is over 1 GiB"};
}

Status collect_privileged(Context& context, Rows& rows) {
  const Findings& findings = context.once(FindOnce{context});
  if (findings.failure) return *findings.failure;
  for (const auto& [path, error] : findings.gaps) rows.gap(path, error);
  for (const Privileged& file : findings.privileged) {
    const auto digest = digest_of(context, file.path);
    if (!digest) {
      rows.gap(file.path, digest.error());
      continue;
    }
    rows.add({file.path, facts::mode_text(file.mode), file.uid, file.gid,
              (file.mode & S_ISUID) != 0, (file.mode & S_ISGID) != 0,
              file.capabilities.empty() ? sdk::Cell(nullptr) : sdk::Cell(file.capabilities),
              *digest});
  }
  return Ok{};
}

Status collect_loose(Context& context, Rows& rows) {
  const Findings& findings = context.once(FindOnce{context});
  if (findings.failure) return *findings.failure;
  for (const auto& [path, error] : findings.gaps) rows.gap(path, error);
  for (const Unsafe& file : findings.loose) {
    rows.add({file.path, facts::type_name(file.mode), facts::mode_text(file.mode), file.uid,
              file.gid, file.world_writable, file.unowned_user, file.unowned_group});
  }
  return Ok{};
}

sdk::Table suid_bin_table() {
  return {.name = "suid_bin",
          .title = "Files that lend privilege: set-uid, set-gid, or with capabilities",
          .columns = {sdk::bytes("path", "Where it really lies, not where it is bound to").key(),
                      sdk::text("mode", "Four octal digits"), sdk::integer("uid", "Owner"),
                      sdk::integer("gid", "Group"), sdk::boolean("setuid", "Runs as its owner"),
                      sdk::boolean("setgid", "Runs as its group"),
                      sdk::text("capabilities", "As getcap prints them").nullable("none"),
                      sdk::text("sha256", "Of the content")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_privileged};
}

sdk::Table unsafe_files_table() {
  return {
      .name = "unsafe_files",
      .title = "Files that everybody may write, or whose owner or group does not exist",
      .columns = {sdk::bytes("path", "Path").key(),
                  sdk::text("type", "regular, directory, symlink, fifo, socket, block, character"),
                  sdk::text("mode", "Four octal digits"), sdk::integer("uid", "Owner"),
                  sdk::integer("gid", "Group"),
                  sdk::boolean("world_writable",
                               "Everybody may write; of directories: and "
                               "remove what others own"),
                  sdk::boolean("unowned_user", "No account has this uid"),
                  sdk::boolean("unowned_group", "No group has this gid")},
      .capabilities = {"CAP_DAC_READ_SEARCH"},
      .collect = collect_loose};
}

}  // namespace

sdk::Collector make_special_files() {
  sdk::Collector collector;
  collector.name = "special_files";
  collector.title = "Set-uid, world-writable and unowned files of all local file systems";
  collector.interval_s = 86400;
  collector.deadline_s = 900;
  collector.options = {{"exclude", sdk::OptionType::texts,
                        "Left out, with all below (default: /var/lib/docker, "
                        "/var/lib/containers, /var/lib/containerd, /snap)"}};
  collector.tables = {suid_bin_table(), unsafe_files_table()};
  return collector;
}

}  // namespace vouch::special_files
