// SPDX-License-Identifier: Apache-2.0
// The settings of the modules that decide about passwords, lockout and second factors: those of
// their configuration files, and over them the arguments of the line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/access_review/pam_stack.h"

namespace vouch::access {

struct PamSetting {
  std::string value;  // Empty: the name alone stands there.
  std::string source;
};
using PamSettings = std::map<std::string, PamSetting>;

// Lines `name = value` or `name` of pwquality.conf(5), faillock.conf(5), pwhistory.conf(5).
std::vector<std::pair<std::string, std::string>> parse_pam_settings(std::string_view text);

// True for the modules whose settings are followed.
bool has_pam_settings(std::string_view module_name);

// The configuration files of a line, in the order in which the module reads them; a later one
// wins. An entry that ends in "/*.conf" is a pattern. Empty: the module has none.
std::vector<std::string> pam_setting_files(const PamEntry& entry);

// Puts the arguments of a line over `settings`.
void apply_pam_arguments(const PamEntry& entry, PamSettings& settings);

// The arguments of a line without secrets, those with white space in brackets.
std::string shown_pam_arguments(std::string_view module_name,
                                const std::vector<std::string>& arguments);
// The value of one setting, in the same way.
std::string shown_pam_value(std::string_view module_name, const std::string& name,
                            const std::string& value);

}  // namespace vouch::access
