// SPDX-License-Identifier: Apache-2.0
// The table modified_conffiles. Its files are few and small: they are read in each run.
#include <algorithm>
#include <set>
#include <string>

#include "collectors/package_files/package_files.h"
#include "collectors/sdk/context.h"
#include "core/file.h"

namespace vouch::package_files {
namespace {

constexpr std::size_t kStatusBytesMax = std::size_t{256} << 20;
constexpr std::size_t kDiversionsBytesMax = std::size_t{4} << 20;
constexpr std::size_t kDigestBytes = 32;

// Cuts the last word off the end; empty if there is but one.
std::string_view take_last_word(std::string_view& line) {
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view word = line.substr(space + 1);
  line = line.substr(0, space);
  return word;
}

// " /etc/a b 900150983cd24fb0d6963f7d28e17f72 obsolete", without the first blank.
bool parse_line(std::string_view line, Conffile& file) {
  std::string_view word = take_last_word(line);
  while (word == "obsolete" || word == "remove-on-upgrade") {
    file.is_obsolete = true;  // Or one that the package removes: it may not be here either.
    word = take_last_word(line);
  }
  const bool is_digest = word.size() == kDigestBytes &&
                         word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_digest && word != "newconffile") return false;
  if (is_digest) file.digest = word;
  file.path = line;
  return line.starts_with('/');
}

struct Stanza {
  std::string_view name, architecture, multi_arch, status;
  std::vector<std::string_view> lines;

  void finish(std::vector<Conffile>& files, std::size_t& bad) const {
    if (status.ends_with(" not-installed")) return;
    std::string package(name);
    if (multi_arch == "same") package += ":" + std::string(architecture);
    for (const std::string_view line : lines) {
      Conffile file;
      file.package = package;
      if (parse_line(line, file)) {
        files.push_back(std::move(file));
      } else {
        ++bad;
      }
    }
  }
};

std::string_view value_of(std::string_view line, std::string_view field) {
  line.remove_prefix(field.size());
  const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
  return line.substr(start);
}

class Verifier {
 public:
  Verifier(sdk::Context& context, sdk::Rows& rows, const Diversions& diversions)
      : context_(context), rows_(rows), diversions_(diversions) {}

  void verify(const Conffile& file) {
    const std::string_view name = std::string_view(file.package).substr(0, file.package.find(':'));
    const std::string path = diversions_.place_of(file.path, name);
    const auto opened = context_.root().open_file(path);
    std::string problem = "none";
    if (!opened) {
      problem = opened.error().code == Errc::not_found ? "missing" : "not a file";
      if (opened.error().code != Errc::not_found && opened.error().code != Errc::invalid) {
        return rows_.gap(path, opened.error());
      }
    } else if (!file.digest.empty()) {
      const auto digest = md5_of(opened->get(), path);
      if (!digest) return rows_.gap(path, digest.error());
      if (*digest != file.digest) problem = "changed";
    }
    const bool is_gone = file.is_obsolete && problem == "missing";  // As it should be.
    if ((problem == "none" && !file.is_obsolete) || is_gone) return;
    rows_.add({file.package, path, problem, file.is_obsolete});
  }

 private:
  sdk::Context& context_;
  sdk::Rows& rows_;
  const Diversions& diversions_;
};

Status collect(sdk::Context& context, sdk::Rows& rows) {
  const auto status = context.root().read("/var/lib/dpkg/status", kStatusBytesMax);
  if (!status) return status.error();
  const auto text = context.root().read("/var/lib/dpkg/diversions", kDiversionsBytesMax);
  const Diversions diversions = Diversions::parse(text.value_or(""));
  std::size_t bad = 0;
  const auto files = parse_conffiles(*status, bad);
  if (bad > 0) {
    rows.gap("/var/lib/dpkg/status", {Errc::invalid, "lines of Conffiles that are none"});
  }
  Verifier verifier(context, rows, diversions);
  for (const Conffile& file : files) {
    if (context.remaining().count() == 0) return Error{Errc::timeout, "the deadline passed"};
    verifier.verify(file);
  }
  return Ok{};
}

}  // namespace

std::vector<Conffile> parse_conffiles(std::string_view status, std::size_t& bad) {
  std::vector<Conffile> files;
  Stanza stanza;
  bool is_list = false;
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(status.size(), line.size() + 1));
    if (line.empty()) {
      stanza.finish(files, bad);
      stanza = {};
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (is_list) stanza.lines.push_back(line.substr(1));
      continue;
    } else if (line.starts_with("Package:")) {
      stanza.name = value_of(line, "Package:");
    } else if (line.starts_with("Architecture:")) {
      stanza.architecture = value_of(line, "Architecture:");
    } else if (line.starts_with("Multi-Arch:")) {
      stanza.multi_arch = value_of(line, "Multi-Arch:");
    } else if (line.starts_with("Status:")) {
      stanza.status = value_of(line, "Status:");
    }
    is_list = line.starts_with("Conffiles:");
  }
  stanza.finish(files, bad);
  return files;
}

sdk::Table modified_conffiles_table() {
  return {.name = "modified_conffiles",
          .title =
              "Configuration files that differ from what their package brought, and those "
              "that no package has any more",
          .columns = {sdk::text("package", "Package").key(),
                      sdk::bytes("path", "File; of a diverted one where it is").key(),
                      sdk::text("problem", "changed, missing, not a file, none"),
                      sdk::boolean("obsolete", "The package has it no more; it is still here")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::package_files
