// SPDX-License-Identifier: Apache-2.0
// The table file_attributes: what beside owner and mode decides who changes a watched file. A
// change of any of it is a change of the file's ctime, so the stats settle whether to look again.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <optional>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/plain_files.h"
#include "collectors/config_drift/posix_acl.h"
#include "collectors/config_drift/watched_files.h"
#include "collectors/sdk/context.h"
#include "core/file.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kAttributeBytesMax = 64 << 10;  // The kernel's own.
constexpr std::size_t kFilesPerLook = 1024;
constexpr std::size_t kMemoryBytesMax = 64 << 20;
constexpr const char* kMemory = "/file_attributes.cache";

struct Attributes {
  std::optional<std::string> acl;
  std::optional<std::string> default_acl;
  bool immutable = false;
  bool append_only = false;

  [[nodiscard]] bool has_any() const { return acl || default_acl || immutable || append_only; }
};

// Files are looked at by their directory's descriptor and their name: none of them is opened, so no
// FIFO blocks and no link is followed.
class Reader {
 public:
  explicit Reader(const Root& root) : root_(root), buffer_(kAttributeBytesMax, '\0') {}

  Result<Attributes> read(const std::string& path, bool is_directory) {
    const std::size_t slash = path.rfind('/');
    if (const auto opened = enter(path.substr(0, slash == 0 ? 1 : slash)); !opened) {
      return opened.error();
    }
    const std::string name = path.size() > 1 ? path.substr(slash + 1) : ".";
    Attributes found;
    auto acl = read_acl(name, kAccessAclAttribute);
    if (!acl) return acl.error();
    found.acl = *std::move(acl);
    if (is_directory) {
      auto inherited = read_acl(name, kDefaultAclAttribute);
      if (!inherited) return inherited.error();
      found.default_acl = *std::move(inherited);
    }
    struct statx flags;
    if (::statx(directory_.get(), name.c_str(), AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
                STATX_TYPE, &flags) != 0) {
      return errno_error("read the flags", errno);
    }
    found.immutable = (flags.stx_attributes & STATX_ATTR_IMMUTABLE) != 0;
    found.append_only = (flags.stx_attributes & STATX_ATTR_APPEND) != 0;
    return found;
  }

 private:
  Status enter(const std::string& path) {
    if (directory_ && path == entered_) return Ok{};
    auto opened = root_.open_directory(path);
    if (!opened) return opened.error();
    directory_ = *std::move(opened);
    entered_ = path;
    return Ok{};
  }

  // None where there is no such list, or no such thing on this file system.
  Result<std::optional<std::string>> read_acl(const std::string& name, const char* attribute) {
    const std::string path = "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + name;
    const ssize_t size = ::lgetxattr(path.c_str(), attribute, buffer_.data(), buffer_.size());
    if (size < 0 && (errno == ENODATA || errno == ENOTSUP)) return std::optional<std::string>{};
    if (size < 0) return errno_error("read the access list", errno);
    return std::optional(
        posix_acl_text(std::string_view(buffer_).substr(0, static_cast<std::size_t>(size))));
  }

  const Root& root_;
  std::string buffer_;
  Fd directory_;
  std::string entered_;
};

// The files that need not be asked; none without a directory that survives.
PlainFiles load_memory(const Context& context) {
  PlainFiles none(context.now());
  if (context.cache_dir().empty()) return none;
  const auto bytes = read_file(context.cache_dir() + kMemory, kMemoryBytesMax);
  if (!bytes) return none;
  auto known = PlainFiles::parse(*bytes);
  return known && !known->is_old(context.now()) ? *std::move(known) : none;
}

void save_memory(Context& context, const PlainFiles& known, const PlainFiles& next) {
  if (context.cache_dir().empty() || next == known) return;
  const auto saved = write_file_durable(context.cache_dir() + kMemory, next.serialize(), 0600);
  if (!saved) context.log("warn", "file_attributes: " + saved.error().message);
}

Status collect(Context& context, Rows& rows) {
  const WatchedFiles& watched = watched_files(context);
  for (const auto& [path, error] : watched.gaps) rows.gap(path, error);
  if (!watched.walked) return watched.walked;
  const std::string token = state_token(watched.entries, "file_attributes 1");
  if (watched.is_settled && rows.unchanged(token)) return Ok{};
  const PlainFiles known = load_memory(context);
  PlainFiles next(context.now());
  next.keep_age(known);
  const WallSeconds began = context.now();
  Reader reader(context.root());
  std::size_t count = 0;
  for (const FileEntry& entry : watched.entries) {
    if (S_ISLNK(entry.status.st_mode)) continue;  // A link has neither.
    if (++count % kFilesPerLook == 0 && context.remaining().count() == 0) {
      return Error{Errc::timeout, "the deadline passed"};
    }
    if (known.has(entry.status)) {
      next.add(entry.status, began);
      continue;
    }
    const auto found = reader.read(entry.path, S_ISDIR(entry.status.st_mode));
    if (!found) {
      if (found.error().code != Errc::not_found) rows.gap(entry.path, found.error());
      continue;
    }
    if (!found->has_any()) {
      next.add(entry.status, began);
      continue;
    }
    rows.add({entry.path, found->acl, found->default_acl, found->immutable, found->append_only});
  }
  next.sort();
  save_memory(context, known, next);
  if (watched.is_settled) rows.set_token(token);
  return Ok{};
}

}  // namespace

sdk::Table file_attributes_table() {
  return {.name = "file_attributes",
          .title = "Watched files with an access list, or with the flag immutable or append-only",
          .columns = {sdk::bytes("path", "Path, of those of file_hashes").key(),
                      sdk::text("acl", "Access list, as getfacl --numeric").nullable("none"),
                      sdk::text("default_acl", "List that new files get").nullable("none"),
                      sdk::boolean("immutable", "Nobody changes it, as lsattr's i"),
                      sdk::boolean("append_only", "It only grows, as lsattr's a")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::drift
