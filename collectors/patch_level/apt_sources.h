// SPDX-License-Identifier: Apache-2.0
// Where apt takes packages from, sources.list(5): one-line (.list) and deb822 (.sources) files, and
// the names of the files in which apt keeps what it fetched from there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::patch_level {

struct AptSource {
  std::string file;  // Where it is configured.
  std::string type;  // "deb" or "deb-src".
  std::string uri;
  std::string suite;  // Ends with `/` for a flat repository, which has no components.
  std::vector<std::string> components;
  // As written: empty = all of the host's; "+x" and "-x" add and remove one.
  std::vector<std::string> architectures;
  std::optional<std::string> signed_by;  // Paths or fingerprints; "(embedded key)".
  bool trusted = false;                  // Used without any signature check.
  bool allow_insecure = false;
  bool enabled = true;
};

struct AptSources {
  std::vector<AptSource> sources;  // One per type, URI and suite.
  // What apt would refuse, as "line N: …", without URIs: they may hold passwords.
  std::vector<std::string> problems;
};

AptSources parse_sources_list(std::string_view text, std::string_view file);    // *.list
AptSources parse_deb822_sources(std::string_view text, std::string_view file);  // *.sources

// "deb.debian.org_debian_dists_bookworm_" for the suite's files in /var/lib/apt/lists: the name
// that "InRelease", "Release" or "main_binary-amd64_Packages" is appended to. User, password and
// scheme of the URI are left out. `native` replaces $(ARCH).
std::string list_prefix(const AptSource& source, std::string_view native);
// "main_binary-amd64_Packages", or "Packages" in a flat repository (`component` is empty).
std::string packages_name(std::string_view component, std::string_view architecture);
// The host of the URI, as `Pin: origin` matches it; empty for files.
std::string site_of(std::string_view uri);

}  // namespace vouch::patch_level
