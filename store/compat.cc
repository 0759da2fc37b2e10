// SPDX-License-Identifier: Apache-2.0
#include "store/compat.h"

#include "proto/signing_key.h"

namespace vouch::store {
namespace {

constexpr WallSeconds kReleased = 1795132800;  // 2026-11-20T00:00:00Z

std::string minor_of(std::string_view version) {
  const auto first = version.find('.');
  if (first == std::string_view::npos) return std::string(version);
  return std::string(version.substr(0, version.find('.', first + 1)));
}

}  // namespace

Compat compat_of_this_release() {
  return {minor_of(VOUCH_VERSION), "0.0", kReleased};
}

bool accepts(const Compat& compat, std::string_view agent_version, WallMs sealed) {
  if (sealed < compat.since * 1000) return true;
  const std::string minor = minor_of(agent_version);
  return minor == compat.minor || minor == compat.previous_minor;
}

Result<std::string> write_compat_note(const Compat& compat, const note::VerifierKey& vkey,
                                      const SigningKey& key) {
  const std::string text = "vouch-compat/v1\n" + vkey.name + "\nbundle v1\nparcel v1\nagent " +
                           compat.minor + " " + compat.previous_minor + " since " +
                           format_second(compat.since) + "\n";
  auto line = note::sign_line(text, vkey, key);
  if (!line) return std::move(line).error().in("compat");
  return note::assemble(text, {*line});
}

}  // namespace vouch::store
