// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/rpm_database.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/sqlite.h"

namespace vouch::rpm_packages {
namespace {

// The host's own librpm, loaded at run time: systems of the RPM family have different versions of
// it (RHEL 9: 9, RHEL 10: 10), and others none. What is used of it is the same in both.
struct Librpm {
  decltype(&::rpmlogSetCallback) set_log = nullptr;
  decltype(&::rpmPushMacro) push_macro = nullptr;
  decltype(&::rpmtsCreate) create = nullptr;
  decltype(&::rpmtsFree) free_transaction = nullptr;
  decltype(&::rpmtsSetVSFlags) set_checks = nullptr;
  decltype(&::rpmtsOpenDB) open = nullptr;
  decltype(&::headerImport) import = nullptr;
  decltype(&::headerFree) free_header = nullptr;
  decltype(&::rpmtsInitIterator) iterate = nullptr;
  decltype(&::rpmdbNextIterator) next = nullptr;
  decltype(&::rpmdbFreeIterator) free_iterator = nullptr;
  decltype(&::headerGetString) get_string = nullptr;
  decltype(&::headerGetNumber) get_number = nullptr;
  decltype(&::headerIsEntry) has = nullptr;
  decltype(&::headerFormat) format = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<Librpm> load_librpm() {
  void* library = nullptr;
  for (const char* name : {"librpm.so.10", "librpm.so.9"}) {
    if (library == nullptr) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr)
    return Error{Errc::unsupported, "librpm (version 9 or 10) is not installed on this host"};
  Librpm rpm;
  const bool is_whole =
      find(library, "rpmlogSetCallback", rpm.set_log) &&
      find(library, "rpmPushMacro", rpm.push_macro) && find(library, "rpmtsCreate", rpm.create) &&
      find(library, "rpmtsFree", rpm.free_transaction) &&
      find(library, "rpmtsSetVSFlags", rpm.set_checks) && find(library, "rpmtsOpenDB", rpm.open) &&
      find(library, "headerImport", rpm.import) && find(library, "headerFree", rpm.free_header) &&
      find(library, "rpmtsInitIterator", rpm.iterate) &&
      find(library, "rpmdbNextIterator", rpm.next) &&
      find(library, "rpmdbFreeIterator", rpm.free_iterator) &&
      find(library, "headerGetString", rpm.get_string) &&
      find(library, "headerGetNumber", rpm.get_number) && find(library, "headerIsEntry", rpm.has) &&
      find(library, "headerFormat", rpm.format);
  if (!is_whole) return Error{Errc::unsupported, "librpm lacks a function that is needed"};
  return rpm;
}

std::string text_of(const Librpm& rpm, Header header, rpmTagVal tag) {
  const char* text = rpm.get_string(header, tag);
  return text == nullptr ? std::string() : text;
}

// As rpm prints the first signature that there is.
std::string signature_of(const Librpm& rpm, Header header) {
  char* text = rpm.format(header,
                          "%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%|DSAHEADER?{%{DSAHEADER:pgpsig}}:"
                          "{%|SIGPGP?{%{SIGPGP:pgpsig}}:{%|SIGGPG?{%{SIGGPG:pgpsig}}|}|}|}|",
                          nullptr);
  std::string result = text == nullptr ? std::string() : text;
  std::free(text);
  return result;
}

RpmPackage package_of(const Librpm& rpm, Header header) {
  RpmPackage package;
  package.name = text_of(rpm, header, RPMTAG_NAME);
  package.version = text_of(rpm, header, RPMTAG_VERSION);
  package.release = text_of(rpm, header, RPMTAG_RELEASE);
  package.arch = text_of(rpm, header, RPMTAG_ARCH);
  if (package.arch.empty()) package.arch = "(none)";
  package.source_rpm = text_of(rpm, header, RPMTAG_SOURCERPM);
  package.vendor = text_of(rpm, header, RPMTAG_VENDOR);
  if (rpm.has(header, RPMTAG_EPOCH) != 0) {
    package.epoch = static_cast<std::int64_t>(rpm.get_number(header, RPMTAG_EPOCH));
  }
  package.installed = static_cast<WallSeconds>(rpm.get_number(header, RPMTAG_INSTALLTIME));
  package.key_id = key_id_of(signature_of(rpm, header));
  return package;
}

// Messages of librpm name paths of this process; what failed is said by the error instead.
int ignore_log(rpmlogRec, rpmlogCallbackData) {
  return 0;
}

using Transaction =
    std::unique_ptr<std::remove_pointer_t<rpmts>, decltype(Librpm::free_transaction)>;

// Through the open directory, so that no link on the way to it leads out of the root.
std::string path_of(const Fd& directory) {
  return "/proc/self/fd/" + std::to_string(directory.get());
}

// librpm itself would write beside the database, in an image and on a host that grants it.
Result<std::size_t> read_sqlite(const Librpm& rpm, const Root& root, const DatabasePlace& place,
                                const Fd& directory, const TakePackage& take) {
  const auto log = root.lstat(place.file + "-wal");
  if (log && !S_ISREG(log->st_mode)) {
    return Error{Errc::invalid, place.file + "-wal: not a regular file"};
  }
  const std::string name = place.file.substr(place.path.size());
  auto database =
      sqlite::Database::open_untouched(path_of(directory) + name, log && log->st_size > 0);
  if (!database) return Error(database.error()).in(place.file);
  auto rows = database->prepare("SELECT blob FROM Packages");
  if (!rows) return Error{Errc::corrupt, place.file + ": it has no table of packages"};
  for (std::size_t count = 0;; ++count) {
    const auto row = rows->step();
    if (!row) return Error(row.error()).in(place.file);
    if (!*row) return count;
    std::string blob = rows->text(0);
    const Header header =
        rpm.import(blob.data(), static_cast<unsigned>(blob.size()), HEADERIMPORT_COPY);
    if (header == nullptr) return Error{Errc::corrupt, place.file + ": a package is damaged"};
    take(package_of(rpm, header));
    rpm.free_header(header);
  }
}

Result<std::size_t> read_by_librpm(const Librpm& rpm, rpmts transaction, const DatabasePlace& place,
                                   const Fd& directory, const TakePackage& take) {
  rpm.push_macro(nullptr, "_dbpath", nullptr, path_of(directory).c_str(), 0);
  rpm.push_macro(nullptr, "_db_backend", nullptr, place.backend.c_str(), 0);
  if (rpm.open(transaction, O_RDONLY) != 0)
    return Error{Errc::corrupt, place.file + ": librpm cannot open it"};
  const std::unique_ptr<std::remove_pointer_t<rpmdbMatchIterator>, decltype(rpm.free_iterator)>
      iterator(rpm.iterate(transaction, RPMDBI_PACKAGES, nullptr, 0), rpm.free_iterator);
  std::size_t count = 0;
  while (Header header = iterator ? rpm.next(iterator.get()) : nullptr) {
    ++count;
    take(package_of(rpm, header));
  }
  return count;
}

}  // namespace

std::string key_id_of(std::string_view signature) {
  constexpr std::string_view kMark = "Key ID ";
  const auto at = signature.find(kMark);
  if (at == signature.npos) return {};
  const auto id = signature.substr(at + kMark.size());
  return std::string(id.substr(0, id.find_first_not_of("0123456789abcdefABCDEF")));
}

Result<DatabasePlace> find_database(const Root& root) {
  struct Form {
    std::string_view file;
    std::string_view backend;
  };
  constexpr std::array<Form, 3> kForms = {
      {{"rpmdb.sqlite", "sqlite"}, {"Packages.db", "ndb"}, {"Packages", "bdb_ro"}}};
  for (const std::string_view path : {"/usr/lib/sysimage/rpm", "/var/lib/rpm"}) {
    for (const Form& form : kForms) {
      const std::string file = std::string(path) + '/' + std::string(form.file);
      const auto info = root.lstat(file);
      if (!info) {
        if (info.error().code != Errc::not_found) return info.error();
        continue;
      }
      // librpm would follow a link out of the root.
      if (!S_ISREG(info->st_mode)) return Error{Errc::invalid, file + ": not a regular file"};
      return DatabasePlace{std::string(path), file, std::string(form.backend)};
    }
  }
  return Error{Errc::not_found, "no RPM database: rpm is not used here"};
}

Status read_database(const Root& root, const DatabasePlace& place, const TakePackage& take) {
  const auto directory = root.open_directory(place.path);
  if (!directory) return directory.error();
  const auto loaded = load_librpm();
  if (!loaded) return loaded.error();
  const Librpm& rpm = *loaded;
  rpm.set_log(ignore_log, nullptr);
  const Transaction transaction(rpm.create(), rpm.free_transaction);
  if (!transaction) return Error{Errc::other, "librpm gives no transaction"};
  // The packages were checked when they were installed.
  rpm.set_checks(transaction.get(), RPMVSF_MASK_NODIGESTS | RPMVSF_MASK_NOSIGNATURES);
  const auto count = place.backend == "sqlite"
                         ? read_sqlite(rpm, root, place, *directory, take)
                         : read_by_librpm(rpm, transaction.get(), place, *directory, take);
  if (!count) return count.error();
  // A database without any package is one that could not be read.
  if (*count == 0) return Error{Errc::corrupt, place.file + ": no package is in it"};
  return Ok{};
}

}  // namespace vouch::rpm_packages
