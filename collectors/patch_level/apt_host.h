// SPDX-License-Identifier: Apache-2.0
// Reads what apt would read on a host: configuration, sources, preferences and fetched lists, from
// their default places. The parsers stand beside; here are only the files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/patch_level/apt_config.h"
#include "collectors/patch_level/apt_preferences.h"
#include "collectors/patch_level/apt_sources.h"
#include "collectors/patch_level/dpkg_status.h"
#include "collectors/patch_level/release.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::patch_level {

inline constexpr std::string_view kListsPath = "/var/lib/apt/lists";
inline constexpr std::string_view kStatusPath = "/var/lib/dpkg/status";

// A file that could not be read or understood; what else there is stands.
struct FileProblem {
  std::string path;
  Error error;
};
using FileProblems = std::vector<FileProblem>;

// The status file with dpkg's journal over it. not_found: dpkg is not used here.
Result<DpkgStatus> read_dpkg_status(const Root& root, Relations relations = Relations::skipped);

// apt.conf.d in its order, then apt.conf. Values that move apt's own directories are problems: the
// files at the default places would not be those that apt reads.
AptConfig read_apt_config(const Root& root, FileProblems& problems);
std::vector<AptSource> read_apt_sources(const Root& root, FileProblems& problems);
std::vector<Pin> read_preferences(const Root& root, FileProblems& problems);

// Native first, then the foreign ones that dpkg was told of.
std::vector<std::string> architectures(const Root& root, const DpkgStatus& status,
                                       const AptConfig& config);

// A suite's Release file among the fetched lists.
struct FetchedSuite {
  std::string path;  // Of the file.
  std::string text;
  Release release;
  bool is_signed = false;
  WallSeconds fetched = 0;  // When apt last fetched or confirmed it.
};

// A problem with one of the source's files in the lists. Their names are made from the address, so
// an address with a query (a token, perhaps) is named by its redacted form instead.
FileProblem list_problem(const AptSource& source, std::string path, Error error);

// not_found: the suite was never fetched.
Result<FetchedSuite> read_suite(const Root& root, const AptSource& source, std::string_view native);

// A package list on the disk.
struct FetchedList {
  std::string path;
  ListOrigin origin;
  const AptSource* source;  // Of those given to find_lists().
};

struct FetchedLists {
  std::vector<FetchedList> lists;  // In apt's order.
  FileProblems problems;           // Suites and lists that are configured, but were not fetched.
};

// The lists of the enabled binary sources. not_found: there is no list at all.
Result<FetchedLists> find_lists(const Root& root, const std::vector<AptSource>& sources,
                                const std::vector<std::string>& architectures);

}  // namespace vouch::patch_level
