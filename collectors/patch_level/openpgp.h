// SPDX-License-Identifier: Apache-2.0
// Keyrings of OpenPGP (RFC 4880, RFC 9580), as far as a key's name, age and end need it. Signatures
// are not verified: who can write the keyring decides what is in it, whatever it says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::patch_level {

struct OpenpgpKey {
  std::string fingerprint;  // Upper-case hex, as gpg prints it.
  bool is_primary = false;
  std::string user_id;    // The first of the primary key.
  std::string algorithm;  // "rsa", "dsa", "ecdsa", "eddsa", "ed25519", "elgamal", "ecdh", "other"
  std::optional<std::int64_t> bits;  // Of keys that have one number as their size.
  WallSeconds created = 0;
  std::optional<WallSeconds> expires;  // By its newest self-signature; none: never.
  bool is_revoked = false;             // By itself, or (a subkey) by its primary key.
};

// The keys of a keyring, binary or ASCII-armoured, primary keys with their subkeys after them.
// Errc::invalid: damaged, cut off, a private key, no key at all; unsupported: GnuPG's keybox.
Result<std::vector<OpenpgpKey>> parse_keyring(std::string_view bytes);

}  // namespace vouch::patch_level
