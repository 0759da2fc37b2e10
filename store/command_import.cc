// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "core/clock.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/import.h"
#include "store/store.h"

namespace vouch::store {

int command_import(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words, {"--dir"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (!arguments->has("--dir") || arguments->rest().size() != 1) {
    return fail(kExitUsage, "expected: import PARCELS --dir DIR");
  }
  const SystemClock clock;
  StoreOptions options;
  options.timer = false;
  options.quota = Quota::none();  // They come all at once, and by an operator's hand.
  auto store = Store::open(arguments->get("--dir"), clock, options);
  if (!store) return fail(kExitUnavailable, store.error().message);
  auto counts = (*store)->import(
      arguments->rest()[0], [](const std::string& file, int status, const std::string& problem) {
        const std::string line = file + ": refused (" + std::to_string(status) + ") " + problem;
        std::fprintf(stderr, "%s\n", printable(line).c_str());
      });
  (*store)->stop();
  if (!counts) return fail(kExitFailed, "import: " + counts.error().message);
  std::printf("%lld taken, %lld known, %lld refused, %lld left behind a refused one\n",
              static_cast<long long>(counts->taken), static_cast<long long>(counts->known),
              static_cast<long long>(counts->refused), static_cast<long long>(counts->skipped));
  return counts->refused == 0 ? kExitOk : kExitFailed;
}

}  // namespace vouch::store
