// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "core/clock.h"
#include "proto/names.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/succeed.h"

namespace vouch::store {

int command_succeed(const std::vector<std::string>& words) {
  auto arguments =
      Arguments::parse(words, {"--dir", "--origin", "--reason", "--by"}, {"--key-lost"});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (!arguments->has("--dir") || !arguments->has("--origin") || !arguments->rest().empty()) {
    return fail(kExitUsage,
                "expected: succeed --dir DIR --origin NAME [--reason WORD] "
                "[--key-lost] [--by ACCOUNT]");
  }
  SuccessionPlan plan;
  plan.origin = arguments->get("--origin");
  plan.key_lost = arguments->has("--key-lost");
  plan.reason = arguments->get("--reason", plan.key_lost ? "key-lost" : "planned");
  plan.by = arguments->get("--by", "local");
  if (!is_id(plan.reason)) return fail(kExitUsage, "--reason: one word");
  if (!is_id(plan.by)) return fail(kExitUsage, "--by \"" + plan.by + "\": not an account");
  auto vkey = succeed(arguments->get("--dir"), SystemClock(), plan);
  if (!vkey) {
    const auto code = vkey.error().code;
    const bool usage = code == Errc::invalid;
    return fail(usage                  ? kExitUsage
                : code == Errc::exists ? kExitUnavailable
                                       : kExitFailed,
                "succeed: " + vkey.error().message);
  }
  std::printf("%s\n", vkey->c_str());
  std::fprintf(
      stderr, "above is the verifier key of the log that goes on as %s: give it to auditors\n%s",
      plan.origin.c_str(),
      plan.key_lost ? "nobody could consent for the old one: enrol each agent again with\n"
                      "`vouch enroll --repin` and a new join string\n"
                    : "agents follow by the note that both keys signed; new join strings pin it\n");
  return kExitOk;
}

}  // namespace vouch::store
