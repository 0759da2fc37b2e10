// SPDX-License-Identifier: Apache-2.0
// A service's PAM stack with its includes resolved, as libpam builds it, and what it decides.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/access_review/pam_config.h"
#include "core/result.h"

namespace vouch::access {

struct PamEntry {
  // `substack` is a mark that counts as one module where a jump goes over it; `must_fail` stands
  // for a line or a file that libpam cannot follow, and fails always.
  enum class Kind { module, substack, must_fail };
  Kind kind = Kind::module;
  std::string control;
  PamActions actions{};
  std::string module;  // As written.
  std::vector<std::string> arguments;
  bool silent = false;
  int level = 0;  // Substacks around it.
  std::string source;
  int line = 0;
  bool mandatory = false;  // See find_mandatory().
  bool installed = true;   // False: the module's file is known not to be there.
};

using PamStack = std::vector<PamEntry>;
using PamStacks = std::map<std::string, PamStack, std::less<>>;  // By facility.

// A file of the configuration, parsed once however often it is included.
struct PamSource {
  std::string path;
  Parsed<PamLine> content;
};
// Finds the file of a service, or of an absolute path. The pointer holds until the next run.
using FindPamSource = std::function<Result<const PamSource*>(const std::string& service)>;

using PamGaps = std::vector<std::pair<std::string, Error>>;

// The stacks of `service`, without what `other` gives to a service that has no rule of a facility.
// Includes that are missing, too deep (16) or too many (2,000 rules) are must_fail entries and
// gaps.
Result<PamStacks> resolve_pam_service(const std::string& service, const FindPamSource& find,
                                      PamGaps& gaps);

// Runs a stack: `answers[i]` is what the module of entry i would say. True: the stack succeeds.
bool pam_stack_succeeds(const PamStack& stack, const std::vector<std::size_t>& answers);

// Sets `mandatory` where the stack cannot succeed if that module fails, whatever the others say.
// pam_deny never succeeds, pam_permit always does, pam_rootok never does: asked is what a
// person meets who is not root yet. Of `password` stacks it is a person with an account in the
// host's files: who has one elsewhere changes the password there, by the rules there, and
// distributions lead those around the rules of here. `steps_left` bounds the work over many stacks;
// where it runs out, `mandatory` stays false.
inline constexpr std::size_t kPamStepsMax = 4'000'000;
void find_mandatory(PamStack& stack, std::string_view facility, std::size_t& steps_left);

// "pam_unix.so" of "/lib/x86_64-linux-gnu/security/pam_unix.so".
std::string_view pam_module_name(std::string_view path);

}  // namespace vouch::access
