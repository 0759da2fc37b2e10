// SPDX-License-Identifier: Apache-2.0
// Lines of /etc/pam.d/SERVICE and /etc/pam.conf, as pam.conf(5) and libpam read them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"

namespace vouch::access {

struct PamLine {
  std::string service;   // Lower case; empty in files of a directory, whose name says it.
  std::string facility;  // "auth", "account", "password", "session"; empty for "@include".
  bool silent = false;   // "-auth": nobody complains if the module is not installed.
  std::string control;   // "required", "[success=1 default=ignore]", "include", "@include" …
  std::string module;    // A module, or what is included.
  std::vector<std::string> arguments;  // Brackets taken off.
  int line = 0;                        // From 1: where it begins.
};

enum class PamFile { of_service, pam_conf };

// Lines that libpam cannot follow are faults (it makes them fail always). Messages hold no content.
Parsed<PamLine> parse_pam_file(std::string_view text, PamFile kind);

// What the stack does with each answer of a module, by the answer's number in libpam. Positive: so
// many modules are jumped over.
struct PamAction {
  static constexpr int ignore = 0, ok = -1, done = -2, bad = -3, die = -4, reset = -5,
                       undefined = -6;
};
inline constexpr std::size_t kPamAnswers = 32;
using PamActions = std::array<int, kPamAnswers>;

// Numbers of some answers.
struct PamAnswer {
  static constexpr std::size_t success = 0, perm_denied = 6, auth_err = 7, new_authtok_reqd = 12,
                               ignore = 25, module_unknown = 28;
};

// The number of "auth_err"; nullopt if libpam has no such answer.
std::optional<std::size_t> pam_answer(std::string_view name);

// Of a control value that is no include. nullopt where libpam would not understand it.
std::optional<PamActions> pam_actions(std::string_view control);

}  // namespace vouch::access
