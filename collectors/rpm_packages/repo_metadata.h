// SPDX-License-Identifier: Apache-2.0
// What a repository says of itself: repomd.xml, the list of its packages (primary) and its
// advisories (updateinfo), as createrepo_c writes them and dnf and zypper keep them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::rpm_packages {

// A package of a repository, or of an advisory.
struct ListedPackage {
  std::string name;
  std::string arch;
  std::string epoch;  // "0" if none is given.
  std::string version;
  std::string release;
  std::string vendor;
};

// "1:2.0-3"; without an epoch of 0.
std::string evr_text(std::string_view epoch, std::string_view version, std::string_view release);

struct Advisory {
  std::string id;
  std::string type;      // "security", "bugfix", "enhancement", "newpackage".
  std::string severity;  // "Critical" …; empty: none is given.
  std::vector<ListedPackage> packages;
};

struct Repomd {
  struct Data {
    std::string type;      // "primary", "updateinfo", "modules" …
    std::string location;  // "repodata/…-primary.xml.gz"
  };
  std::vector<Data> data;
  std::optional<WallSeconds> made;  // The newest time stamp of its files.

  [[nodiscard]] const Data* find(std::string_view type) const;
};

// Errors of all: invalid (no XML of that kind, cut off, a document type), too_large.
Result<Repomd> parse_repomd(std::string_view text);

// A reader that is fed pieces of one file. Source packages are left out.
class MetadataReader {
 public:
  using TakePackage = std::function<void(const ListedPackage&)>;
  using TakeAdvisory = std::function<void(const Advisory&)>;
  explicit MetadataReader(TakePackage take);
  explicit MetadataReader(TakeAdvisory take);
  ~MetadataReader();
  MetadataReader(const MetadataReader&) = delete;
  MetadataReader& operator=(const MetadataReader&) = delete;

  Status feed(std::string_view piece);
  Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::rpm_packages
