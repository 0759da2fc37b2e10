// SPDX-License-Identifier: Apache-2.0
#include "collectors/package_files/package_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "collectors/sdk/context.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/legacy_digest.h"

namespace vouch::package_files {
namespace {

constexpr std::string_view kInfo = "/var/lib/dpkg/info";
constexpr std::size_t kListBytesMax = std::size_t{64} << 20;
constexpr std::size_t kDiversionsBytesMax = std::size_t{4} << 20;
constexpr std::size_t kMemoryBytesMax = std::size_t{48} << 20;
constexpr WallSeconds kSettledAfterS = 2;

// A file that is as it was when it was found good has the mark of then. ctime cannot be set back
// but by who sets the clock.
std::uint64_t mark_of(std::string_view path, std::string_view digest, const struct stat& info) {
  const std::string hash = sha256(fmt::format(
      "{}\n{}\n{} {} {} {}.{} {}.{}", path, digest, info.st_dev, info.st_ino, info.st_size,
      info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec));
  std::uint64_t mark = 0;
  std::memcpy(&mark, hash.data(), sizeof mark);
  return mark;
}

class Verifier {
 public:
  Verifier(sdk::Context& context, sdk::Rows& rows) : context_(context), rows_(rows) {}

  Status run() {
    const auto names = context_.root().list(kInfo, 1000000);
    if (!names) return names.error();
    load();
    for (const std::string& name : *names) {
      constexpr std::string_view kSuffix = ".md5sums";
      if (!name.ends_with(kSuffix)) continue;
      const std::string package = name.substr(0, name.size() - kSuffix.size());
      if (context_.remaining().count() == 0) {
        // What was done stands in the memory: the next run goes on from there.
        rows_.gap(package, {Errc::timeout, "no time was left for it and what comes after it"});
        break;
      }
      verify(std::string(kInfo) + '/' + name, package);
    }
    return store();
  }

 private:
  [[nodiscard]] std::string memory_path() const {
    std::string path = context_.cache_dir() + "/good_files";
    if (!context_.is_host()) path += '-' + sha256_hex(context_.root().path()).substr(0, 16);
    return path;
  }

  void load() {
    const auto text = context_.root().read("/var/lib/dpkg/diversions", kDiversionsBytesMax);
    diversions_ = Diversions::parse(text.value_or(""));
    if (context_.cache_dir().empty()) return;
    const auto bytes = read_file(memory_path(), kMemoryBytesMax);
    if (!bytes) return;
    // A damaged memory is none: every file is read again.
    if (auto known = GoodFiles::parse(*bytes)) known_ = *std::move(known);
  }

  Status store() {
    if (context_.cache_dir().empty() || !is_changed_) return Ok{};
    return write_file_durable(memory_path(), good_.serialize(), 0600);
  }

  void verify(const std::string& list, const std::string& package) {
    const auto text = context_.root().read(list, kListBytesMax);
    if (!text) {
      if (text.error().code != Errc::not_found) rows_.gap(list, text.error());
      return;
    }
    std::size_t bad = 0;
    // "libc6:amd64": diversions name the package alone.
    const std::string_view name = std::string_view(package).substr(0, package.find(':'));
    for (const ChecksumLine& line : parse_md5sums(*text, bad)) {
      const std::string path = diversions_.place_of('/' + std::string(line.path), name);
      verify_file(path, line.digest, package);
    }
    if (bad > 0) rows_.gap(list, {Errc::invalid, list + ": lines that are no checksums"});
  }

  void verify_file(const std::string& path, std::string_view digest, const std::string& package) {
    const auto file = context_.root().open_file(path);
    struct stat info {};
    if (!file) {
      if (file.error().code == Errc::not_found) {
        rows_.add({package, path, "missing"});
      } else if (file.error().code == Errc::invalid) {
        rows_.add({package, path, "not a file"});
      } else {
        rows_.gap(path, file.error());
      }
      return;
    }
    if (::fstat(file->get(), &info) != 0) return;
    const std::uint64_t mark = mark_of(path, digest, info);
    if (known_.has(mark)) {
      good_.add(mark);
      return;
    }
    is_changed_ = true;
    const auto found = md5_of(file->get(), path);
    if (!found) {
      rows_.gap(path, found.error());
    } else if (*found != digest) {
      rows_.add({package, path, "changed"});
    } else if (context_.now() - info.st_ctim.tv_sec > kSettledAfterS) {
      good_.add(mark);
    }
  }

  sdk::Context& context_;
  sdk::Rows& rows_;
  Diversions diversions_;
  GoodFiles known_;
  GoodFiles good_;
  bool is_changed_ = false;
};

Status collect(sdk::Context& context, sdk::Rows& rows) {
  return Verifier(context, rows).run();
}

}  // namespace

Result<std::string> md5_of(int fd, const std::string& path) {
  Md5 digest;
  std::string buffer(std::size_t{256} << 10, '\0');
  while (true) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno_error("read " + path, errno);
    if (got == 0) return digest.finish_hex();
    digest.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

sdk::Collector make_package_files() {
  return {.name = "package_files",
          .title = "Files of Debian packages that are not as the package brought them",
          .interval_s = 86400,
          .deadline_s = 600,
          .needs_cache_dir = true,
          .tables = {{.name = "modified_package_files",
                      .title = "Files other than configuration that differ from their package's",
                      .columns = {sdk::text("package", "Package").key(),
                                  sdk::bytes("path", "File; of a diverted one where it is").key(),
                                  sdk::text("problem", "changed, missing, not a file")},
                      .collect = collect},
                     modified_conffiles_table()}};
}

}  // namespace vouch::package_files
