// SPDX-License-Identifier: Apache-2.0
// authorized_keys files, as sshd(8) reads them, and where sshd looks for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"

namespace vouch::access {

struct AuthorizedKey {
  std::string options;      // As in the file, quotes included; "" if there are none.
  std::string algorithm;    // "ssh-ed25519".
  std::string fingerprint;  // "SHA256:" and unpadded base64, as `ssh-keygen -l` prints it.
  std::optional<int> bits;  // RSA and DSA only: the others have one size.
  std::string comment;
  bool certificate_authority = false;
};

// Lines that sshd would skip as unreadable are faults. Messages hold no content of the line.
Parsed<AuthorizedKey> parse_authorized_keys(std::string_view text);

// AuthorizedKeysFile with its tokens: %% %h (home) %u (name) %U (uid); a relative path is below the
// home. nullopt: an unknown token, or "none".
std::optional<std::string> expand_key_path(std::string_view pattern, const PasswdEntry& user);

}  // namespace vouch::access
