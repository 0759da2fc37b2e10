// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/apt_host.h"
#include "collectors/patch_level/input_token.h"
#include "collectors/patch_level/list_stream.h"
#include "collectors/patch_level/stanza.h"
#include "collectors/patch_level/tables.h"
#include "collectors/patch_level/updates.h"
#include "collectors/sdk/context.h"
#include "core/redact.h"

namespace vouch::patch_level {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
}

void add_gaps(const FileProblems& problems, sdk::Rows& rows) {
  for (const FileProblem& problem : problems) rows.gap(problem.path, problem.error);
}

Status require_apt(const Root& root) {
  const auto info = root.stat("/etc/apt");
  if (info) return Ok{};
  if (info.error().code != Errc::not_found) return info.error();
  return Error{Errc::not_found, "/etc/apt: apt is not used here"};
}

// The native architecture for names of lists; the status file may be unreadable without harm.
std::string native_of(const Root& root, const AptConfig& config) {
  const auto status = read_dpkg_status(root);
  const auto names = architectures(root, status.value_or({}), config);
  return names.empty() ? std::string() : names.front();
}

// All that package_updates is made from.
std::string updates_token(const sdk::Context& context) {
  InputToken token(context.root(), context.now());
  token.add_file(kStatusPath);
  token.add_directory("/var/lib/dpkg/updates");
  token.add_file("/var/lib/dpkg/arch");
  for (const std::string_view name : {"apt.conf", "preferences", "sources.list"}) {
    token.add_file("/etc/apt/" + std::string(name));
    token.add_directory("/etc/apt/" + std::string(name) + ".d");
  }
  token.add_directory(kListsPath);
  return token.text();
}

void add_updates(const std::vector<PackageUpdate>& updates, sdk::Rows& rows) {
  for (const PackageUpdate& update : updates) {
    rows.add({update.package->name, update.package->arch, update.package->version,
              update.candidate_version, update.origin, update.suite, update.security,
              update.package->held, update.phased_percent});
  }
}

// Values that apt reads as yes or no: no secret, and what a check of AllowUnauthenticated needs.
bool is_switch(std::string_view value) {
  constexpr std::array<std::string_view, 12> kWords = {
      "0", "1", "true", "false", "yes", "no", "off", "on", "with", "without", "enable", "disable"};
  return std::find(kWords.begin(), kWords.end(), value) != kWords.end();
}

// Names whose values are secrets even where the value does not look like one.
bool is_secret_name(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::array<std::string_view, 5> kParts = {"password", "passwd", "secret", "token",
                                                      "auth"};
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return lower.find(part) != lower.npos; });
}

}  // namespace

Status collect_package_updates(sdk::Context& context, sdk::Rows& rows) {
  if (const auto token = updates_token(context); !token.empty() && rows.unchanged(token))
    return Ok{};

  const Root& root = context.root();
  const auto status = read_dpkg_status(root, Relations::wanted);
  if (!status) return status.error();
  FileProblems problems;
  const AptConfig config = read_apt_config(root, problems);
  const auto sources = read_apt_sources(root, problems);
  auto pins = read_preferences(root, problems);
  const auto host_architectures = architectures(root, *status, config);
  auto found = find_lists(root, sources, host_architectures);
  if (!found) return found.error();

  const std::string native = host_architectures.empty() ? "" : host_architectures.front();
  UpdateFinder finder(*status, native);
  std::vector<ListOrigin> origins;
  for (std::size_t i = 0; i < found->lists.size(); ++i) {
    FetchedList& list = found->lists[i];
    const auto file = root.open_file(list.path);
    if (!file) {
      problems.push_back(list_problem(*list.source, list.path, file.error()));
    } else {
      const std::size_t malformed = finder.malformed();
      const auto read = read_stanzas(file->get(), list.path,
                                     [&](std::string_view stanza) { finder.add(i, stanza); });
      if (!read) {
        problems.push_back(list_problem(*list.source, list.path, read.error()));
      } else if (finder.malformed() > malformed) {
        problems.push_back(list_problem(
            *list.source, list.path,
            {Errc::invalid, list.path + ": entries without Package, "
                                        "Architecture or Version; run apt-get update"}));
      }
    }
    origins.push_back(std::move(list.origin));
  }
  origins.push_back(status_origin());
  const AptPolicy policy(std::move(pins), std::move(origins), config.get("APT::Default-Release"),
                         native);
  add_updates(finder.finish(policy), rows);
  add_gaps(problems, rows);
  add_gaps(found->problems, rows);
  for (const Problem& problem : status->problems) {
    rows.gap(problem.object, {Errc::invalid, problem.message});
  }
  return Ok{};
}

Status collect_apt_sources(sdk::Context& context, sdk::Rows& rows) {
  const Root& root = context.root();
  if (auto status = require_apt(root); !status) return status;
  FileProblems problems;
  const auto sources = read_apt_sources(root, problems);
  FileProblems config_problems;  // Those of apt.conf are apt_config's gaps.
  const std::string native = native_of(root, read_apt_config(root, config_problems));
  for (const AptSource& source : sources) {
    sdk::Cell origin(nullptr);
    sdk::Cell is_signed(nullptr);
    const auto suite = source.enabled ? read_suite(root, source, native)
                                      : Result<FetchedSuite>(Error{Errc::not_found, "disabled"});
    if (suite) {
      origin = suite->release.origin;
      is_signed = suite->is_signed;
    } else if (suite.error().code != Errc::not_found) {
      problems.push_back(list_problem(
          source, std::string(kListsPath) + '/' + list_prefix(source, native), suite.error()));
    }
    sdk::Cell signed_by(nullptr);
    if (source.signed_by) signed_by = *source.signed_by;
    const std::string components = joined(source.components);
    const std::string wanted = joined(source.architectures);
    rows.add({source.file, source.type, source.uri, source.suite, components, wanted, signed_by,
              source.trusted, source.allow_insecure, source.enabled, origin, is_signed});
  }
  add_gaps(problems, rows);
  return Ok{};
}

Status collect_package_lists(sdk::Context& context, sdk::Rows& rows) {
  const Root& root = context.root();
  if (auto status = require_apt(root); !status) return status;
  FileProblems problems;
  const auto sources = read_apt_sources(root, problems);
  FileProblems config_problems;
  const std::string native = native_of(root, read_apt_config(root, config_problems));
  std::set<std::string> seen;  // Two sources of one suite share its lists.
  std::size_t fetched = 0;
  for (const AptSource& source : sources) {
    const std::string prefix = list_prefix(source, native);
    if (!source.enabled || !seen.insert(prefix).second) continue;
    const auto suite = read_suite(root, source, native);
    if (!suite) {
      problems.push_back(list_problem(source, std::string(kListsPath) + '/' + prefix + "InRelease",
                                      suite.error()));
      continue;
    }
    ++fetched;
    rows.add({source.uri, source.suite, suite->release.date, suite->release.valid_until,
              suite->fetched});
  }
  if (fetched == 0) return Error{Errc::not_found, "no package lists; run apt-get update"};
  add_gaps(problems, rows);
  return Ok{};
}

Status collect_apt_config(sdk::Context& context, sdk::Rows& rows) {
  if (auto status = require_apt(context.root()); !status) return status;
  FileProblems problems;
  const AptConfig config = read_apt_config(context.root(), problems);
  for (const AptConfig::Item& item : config.items()) {
    const bool is_secret =
        is_secret_name(item.name) && !item.value.empty() && !is_switch(item.value);
    rows.add({item.name, is_secret ? kRedacted : std::string_view(item.value)});
  }
  // That directories are moved is a value here like others.
  std::erase_if(problems, [](const FileProblem& p) { return p.error.code == Errc::unsupported; });
  add_gaps(problems, rows);
  return Ok{};
}

}  // namespace vouch::patch_level
