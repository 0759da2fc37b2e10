// SPDX-License-Identifier: Apache-2.0
// The PAM configuration of a root: which services there are, their files, and which modules are
// installed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/access_review/pam_settings.h"
#include "collectors/access_review/pam_stack.h"
#include "core/root.h"

namespace vouch::access {

class PamConfig {
 public:
  // Lists directories; reads no file yet. An Error where a directory that is there cannot be
  // listed; Errc::not_found where the root has no PAM configuration at all.
  static Result<PamConfig> open(const Root& root);

  // All that rows depend on: directories and files.
  [[nodiscard]] const std::vector<std::string>& inputs() const { return inputs_; }

  // Service → stacks. What could not be read or followed is added to `gaps`.
  std::map<std::string, PamStacks> resolve(PamGaps& gaps);
  // What the module of a line is set to, by its files and arguments.
  PamSettings settings(const PamEntry& entry, PamGaps& gaps);

 private:
  explicit PamConfig(const Root& root) : root_(&root) {}
  Status list_services();
  void list_modules();
  void list_setting_files();
  Result<const PamSource*> find(const std::string& service);
  Result<const PamSource*> load(const std::string& path);
  void read_pam_conf(PamGaps& gaps);
  [[nodiscard]] bool is_installed(const std::string& module) const;

  const Root* root_;
  std::vector<std::string> services_;
  std::map<std::string, PamSource> sources_;          // By path, or by service of pam.conf.
  std::map<std::string, std::string> setting_texts_;  // By path; those that are there.
  std::vector<std::string> module_directories_;
  std::vector<std::string> setting_files_;
  std::vector<std::string> inputs_;
  bool has_directory_ = false;
};

}  // namespace vouch::access
