// SPDX-License-Identifier: Apache-2.0
#include "store/commands.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "core/clock.h"
#include "store/arguments.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::size_t kHostNameBytesMax = 256;

std::string host_name() {
  char name[kHostNameBytesMax] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "vouch-store: %s\n", message.c_str());
  return code;
}

int command_init(const std::vector<std::string>& words) {
  auto arguments =
      Arguments::parse(words, {"--dir", "--origin", "--listen", "--host"}, {"--no-ca"});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (!arguments->has("--dir") || !arguments->has("--origin") || !arguments->rest().empty()) {
    return fail(kExitUsage, "init needs --dir DIR and --origin NAME; see --help");
  }
  Settings settings;
  settings.origin = arguments->get("--origin");
  settings.host = arguments->get("--host", host_name());
  settings.address = "0.0.0.0";
  settings.own_ca = !arguments->has("--no-ca");
  auto listen = parse_listen(arguments->get("--listen", ""), settings);
  if (!listen) return fail(kExitUsage, "--listen " + listen.error().message);
  const std::string dir = arguments->get("--dir");
  auto made = Store::init(dir, settings, SystemClock());
  if (!made) return fail(kExitFailed, "init: " + made.error().message);
  auto vkey = read_vkey(dir);
  if (!vkey) return fail(kExitFailed, "init: " + vkey.error().message);
  std::printf("%s\n", note::write_vkey(*vkey).c_str());
  std::fprintf(
      stderr,
      "made the store %s, which agents reach as %s\n"
      "above is the log's verifier key: give it to auditors by another way than this store\n"
      "next: vouch-store serve --dir %s, then vouch-store token create --dir %s\n",
      settings.origin.c_str(), settings.url().c_str(), dir.c_str(), dir.c_str());
  return kExitOk;
}

}  // namespace vouch::store
