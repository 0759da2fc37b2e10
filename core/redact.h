// SPDX-License-Identifier: Apache-2.0
// Redaction, before anything is hashed (docs/formats/tables.md, "Secrets never enter a blob").
// What goes becomes "[redacted]"; no hash or length of it stays. Applied by the collector SDK and,
// again, by the agent's runner: both get the same answer, and redacting twice changes nothing.
#pragma once

#include <string>
#include <string_view>

namespace vouch {

inline constexpr std::string_view kRedacted = "[redacted]";

enum class Redaction { none, url, command, environment };

// A cell by its column's rule, then by the rules that hold for every text or bytes cell: a cell in
// which a private key, a cloud or service token, or a crypt(3) hash is found is replaced as a
// whole.
std::string redact(Redaction rule, std::string_view cell);

// The always-on rules alone: true if the cell as a whole must go.
bool holds_secret(std::string_view cell);

}  // namespace vouch
