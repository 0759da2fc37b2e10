// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/dpkg_status.h"

#include <algorithm>
#include <utility>

#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

// A file of junk would give a problem per line; the first few say enough.
constexpr std::size_t kProblemsMax = 20;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.' || c == '_';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// "name (version)" or "name".
void set_source(std::string_view value, DebPackage& package) {
  package.source = package.name;
  package.source_version = package.version;
  const auto parts = words(value);
  if (parts.empty() || !is_name(parts[0])) return;
  package.source = parts[0];
  if (parts.size() < 2 || parts[1].size() < 3 || !is_printable(parts[1])) return;
  if (parts[1].front() != '(' || parts[1].back() != ')') return;
  package.source_version = parts[1].substr(1, parts[1].size() - 2);
}

// Why the stanza is no entry; empty if `package` is filled.
std::string read_package(const Stanza& stanza, Relations relations, DebPackage& package) {
  const auto name = stanza.get("Package");
  if (!is_name(name)) return "an entry without a valid Package field";
  package.name = name;
  if (stanza.bad_line != 0) return "line " + std::to_string(stanza.bad_line) + " is no field";
  const auto status = words(stanza.get("Status"));
  if (status.size() != 3 || !is_name(status[2])) return "no valid Status field";
  package.held = status[0] == "hold";
  package.status = status[2];
  package.arch = stanza.get("Architecture");
  package.version = stanza.get("Version");
  if (!package.is_present() && package.version.empty()) return {};
  if (!is_name(package.arch)) return "no valid Architecture field";
  if (package.version.empty() || !is_printable(package.version)) return "no valid Version field";
  set_source(stanza.get("Source"), package);
  if (relations == Relations::wanted) {
    package.relations = relations_of([&](std::string_view field) { return stanza.get(field); });
  }
  return {};
}

std::string key_of(const DebPackage& package) {
  return package.name + ':' + package.arch;
}

}  // namespace

bool DebPackage::is_present() const {
  return status != "not-installed" && status != "config-files";
}

std::string relations_of(const std::function<std::string_view(std::string_view)>& get) {
  std::string result;
  for (const std::string_view name :
       {"Depends", "Pre-Depends", "Conflicts", "Breaks", "Replaces", "Multi-Arch"}) {
    const auto value = get(name);
    if (value.empty() || (name == "Multi-Arch" && value == "no")) continue;
    result += name.front();
    result += name[2];
    for (std::size_t i = 0; i < value.size(); ++i) {
      const char c = value[i];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      // dpkg writes "<=" where an old package said "<".
      if ((c == '<' || c == '>') && i + 1 < value.size() && value[i + 1] == '=') ++i;
    }
    result += ';';
  }
  return result;
}

DpkgStatus parse_dpkg_status(std::string_view text, Relations relations) {
  DpkgStatus result;
  std::unordered_set<std::string> seen;
  std::size_t problem_count = 0;
  const auto problem = [&](std::string object, std::string message) {
    if (++problem_count <= kProblemsMax) {
      result.problems.push_back({std::move(object), std::move(message)});
    }
  };
  const bool cut_off = !text.empty() && !text.ends_with("\n\n") && !text.ends_with("\n\r\n");
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, Comments::none, stanza)) {
    DebPackage package;
    const auto reason = read_package(stanza, relations, package);
    const auto at = "line " + std::to_string(stanza.line);
    if (!reason.empty()) {
      problem(package.name.empty() ? at : package.name, at + ": " + reason);
    } else if (package.version.empty()) {
      continue;  // Known to dpkg by name only: never installed, nothing left of it.
    } else if (!seen.insert(key_of(package)).second) {
      problem(key_of(package), at + ": a second entry for this package");
    } else {
      result.packages.push_back(std::move(package));
    }
  }
  if (problem_count > kProblemsMax) {
    result.problems.push_back({"the rest", std::to_string(problem_count - kProblemsMax) +
                                               " more entries could not be read"});
  }
  if (cut_off) {
    result.problems.push_back({"end of file", "no empty line at the end: the file was cut off"});
  }
  return result;
}

void apply_update(DpkgStatus& status, DpkgStatus update) {
  for (DebPackage& package : update.packages) {
    const auto same = std::find_if(
        status.packages.begin(), status.packages.end(),
        [&](const auto& p) { return p.name == package.name && p.arch == package.arch; });
    if (same == status.packages.end()) {
      status.packages.push_back(std::move(package));
    } else {
      *same = std::move(package);
    }
  }
  // dpkg ends its journal's files without the empty line.
  for (Problem& problem : update.problems) {
    if (problem.object != "end of file") status.problems.push_back(std::move(problem));
  }
}

std::unordered_set<std::string> parse_extended_states(std::string_view text) {
  std::unordered_set<std::string> automatic;
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, Comments::none, stanza)) {
    if (stanza.get("Auto-Installed") != "1") continue;
    automatic.insert(std::string(stanza.get("Package")) + ':' +
                     std::string(stanza.get("Architecture")));
  }
  return automatic;
}

std::string native_architecture(const DpkgStatus& status) {
  for (const DebPackage& package : status.packages) {
    if (package.name == "dpkg" && package.is_present()) return package.arch;
  }
  return {};
}

}  // namespace vouch::patch_level
