// SPDX-License-Identifier: Apache-2.0
// The updates that dnf or zypper would name, from what is installed, what the repositories list and
// what the configuration allows. No dependency is solved: what cannot be installed for want of
// another package is named all the same, and a package that another one replaces is not.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/rpm_packages/repo_metadata.h"
#include "collectors/rpm_packages/repositories.h"

namespace vouch::rpm_packages {

struct RpmUpdate {
  std::string name;
  std::string arch;
  std::string installed_version;
  std::string candidate_version;
  std::string repository;
  bool is_security = false;  // It, or a version before it, is in a security advisory.
  std::string advisories;    // Security advisories, by commas.
  std::string severity;      // The highest of them; empty: none is given.
  std::string reason;        // Of a withheld one: what keeps it.
};

class UpdateFinder {
 public:
  // Refers to the configuration.
  UpdateFinder(const ManagerConfig& config, const std::vector<ListedPackage>& installed);

  // What repository number `repository` of the configuration has.
  void take(std::size_t repository, const ListedPackage& package);
  void take(const Advisory& advisory);
  // A package of a module was passed over: which streams are enabled is not evaluated.
  [[nodiscard]] bool has_modules() const { return has_modules_; }

  struct Found {
    std::vector<RpmUpdate> updates;
    std::vector<RpmUpdate> withheld;
  };
  [[nodiscard]] Found find() const;

 private:
  struct Version {
    std::string arch;
    std::string evr;
    std::string vendor;
  };
  struct Candidate {
    Version version;
    std::size_t repository;
    std::string kept_by;  // Empty: it may be taken.
  };
  struct Fix {
    std::string arch;
    std::string evr;
    std::string advisory;
    std::string severity;
  };
  struct Package {
    std::vector<Version> installed;
    std::vector<Candidate> candidates;
    std::vector<Fix> fixes;
  };

  [[nodiscard]] std::string kept_by(std::size_t repository, const ListedPackage& package) const;
  static const Version* upgraded(const Package& package, const Version& candidate);
  static void keep_vendor(Package& package);
  void find_in(const std::string& name, Package package, Found& found) const;
  RpmUpdate make_update(const std::string& name, const Package& package,
                        const Candidate& candidate) const;

  const ManagerConfig& config_;
  std::map<std::string, Package, std::less<>> packages_;
  bool has_modules_ = false;
};

// A pattern of excludepkgs or of a version lock: of the name alone, or with version, release,
// epoch and architecture in the orders that dnf accepts.
bool pattern_fits(const std::string& pattern, const ListedPackage& package);

}  // namespace vouch::rpm_packages
