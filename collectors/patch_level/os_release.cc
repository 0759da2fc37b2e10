// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/os_release.h"

#include <utility>

#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

struct Support {
  std::string_view id;
  std::string_view version;
  std::string_view support_end;
  std::string_view lts_end;
};

constexpr Support kSupport[] = {
#include "collectors/patch_level/support_dates.inc"
};

// A value as a shell would read it: quotes taken off, backslashes resolved.
std::string unquote(std::string_view text) {
  std::string value;
  const char quote =
      !text.empty() && (text.front() == '"' || text.front() == '\'') ? text.front() : '\0';
  if (quote != '\0') text.remove_prefix(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == quote && quote != '\0') break;
    if (text[i] == '\\' && quote != '\'' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return value;
}

// The end of the day.
std::optional<WallSeconds> end_of(std::string_view day) {
  if (day.empty()) return std::nullopt;
  const auto second = parse_second(std::string(day) + "T23:59:59Z");
  return second ? std::optional(*second) : std::nullopt;
}

}  // namespace

Result<OsRelease> parse_os_release(std::string_view text) {
  OsRelease release;
  bool has_assignment = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == 0 || equals == line.npos) continue;
    has_assignment = true;
    const auto name = line.substr(0, equals);
    std::string value = unquote(line.substr(equals + 1));
    if (value.empty()) continue;
    if (name == "ID")
      release.id = std::move(value);
    else if (name == "NAME")
      release.name = std::move(value);
    else if (name == "VERSION")
      release.version = std::move(value);
    else if (name == "VERSION_ID")
      release.version_id = std::move(value);
    else if (name == "VERSION_CODENAME")
      release.codename = std::move(value);
    else if (name == "SUPPORT_END")
      release.support_end = std::move(value);
  }
  if (!has_assignment) return Error{Errc::invalid, "no assignment in it"};
  if (release.id.empty()) release.id = "linux";
  if (release.name.empty()) release.name = "Linux";
  if (release.version.empty()) release.version = release.version_id.value_or("");
  return release;
}

SupportDates support_dates(const OsRelease& release) {
  const std::string_view version = release.version_id ? std::string_view(*release.version_id) : "";
  for (const Support& known : kSupport) {
    // The minor release of the RPM systems ("9.4") does not count; Ubuntu's months do.
    const bool is_minor = version.starts_with(known.version) &&
                          version.size() > known.version.size() &&
                          version[known.version.size()] == '.';
    if (known.id != release.id || (version != known.version && !is_minor)) continue;
    return {end_of(known.support_end), end_of(known.lts_end)};
  }
  return {end_of(release.support_end), std::nullopt};
}

}  // namespace vouch::patch_level
