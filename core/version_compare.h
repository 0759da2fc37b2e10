// SPDX-License-Identifier: Apache-2.0
// The order of package versions, as dpkg and rpm define it. Used by the collectors that find
// pending updates and by the policy engine's SQL function version_compare(scheme, a, b), so that a
// verdict and the evidence under it can never disagree.
#pragma once

#include <optional>
#include <string_view>

namespace vouch {

enum class VersionScheme { deb, rpm };

// "deb" or "rpm"; nothing for any other name.
std::optional<VersionScheme> version_scheme(std::string_view name);

// -1, 0 or 1: a is older than, equal to or newer than b. A total order over all byte strings: a
// text that the scheme would refuse still has its place (an epoch that is no number is taken as
// part of the version), so the answer never depends on who compares.
//   deb: [epoch:]upstream[-revision], deb-version(7), the algorithm of `dpkg --compare-versions`.
//   rpm: [epoch:]version[-release], the algorithm of rpm.vercmp() with `~` and `^`; a version
//        without a release is older than the same version with one.
int version_compare(VersionScheme scheme, std::string_view a, std::string_view b);

}  // namespace vouch
