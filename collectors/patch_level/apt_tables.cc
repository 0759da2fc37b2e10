// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/apt_reading.h"
#include "collectors/patch_level/stanza.h"
#include "collectors/patch_level/tables.h"
#include "core/redact.h"

namespace vouch::patch_level {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
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

Status collect_apt_pins(sdk::Context& context, sdk::Rows& rows) {
  if (auto status = require_apt(context.root()); !status) return status;
  FileProblems problems;
  for (const Pin& pin : read_preferences(context.root(), problems)) {
    const std::string packages = pin.packages.empty() ? "*" : joined(pin.packages);
    const std::string_view kind = pin.kind == Pin::Kind::version   ? "version "
                                  : pin.kind == Pin::Kind::release ? "release "
                                                                   : "origin ";
    rows.add({pin.file, packages, std::string(kind) + pin.data, pin.priority});
  }
  add_gaps(problems, rows);
  return Ok{};
}

}  // namespace vouch::patch_level
