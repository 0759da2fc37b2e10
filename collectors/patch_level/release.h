// SPDX-License-Identifier: Apache-2.0
// Release and InRelease files: what an archive says of a suite.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::patch_level {

struct Release {
  std::string origin;
  std::string label;
  std::string suite;
  std::string codename;
  std::string version;
  std::optional<WallSeconds> date;
  std::optional<WallSeconds> valid_until;
  bool not_automatic = false;
  bool but_automatic_upgrades = false;

  // Its packages repair security flaws, by the marks that archives set: a suite or codename that
  // ends with "-security" (Debian, Ubuntu, Ubuntu Pro), or the label Debian-Security.
  [[nodiscard]] bool is_security() const;
};

// Takes the signed text out of an InRelease file's clear-sign armour. The signature itself is not
// checked: apt did so before it kept the file. Errc::invalid: the armour does not close (cut off),
// there is no field of a Release file, a date that is none.
Result<Release> parse_release(std::string_view text);

// "Sat, 11 Jul 2026 10:16:37 UTC" (also GMT, Z, +0000, -0000).
std::optional<WallSeconds> parse_release_date(std::string_view text);

}  // namespace vouch::patch_level
