// SPDX-License-Identifier: Apache-2.0
// What `init` decided: settings.json in the store's directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::store {

struct Settings {
  std::string origin;   // Of the log: "store.example.com/log1".
  std::string host;     // By which agents reach the store.
  std::string address;  // To listen on.
  std::uint16_t port = 8443;
  std::int64_t overdue_grace_s = 900;  // Silence after what was promised, until it is logged.
  std::int64_t late_after_s = 3600;    // From sealing to receipt.
  bool own_ca = true;                  // False: the site puts its own certificate and key in place.

  [[nodiscard]] std::string url() const;
};

std::string write_settings(const Settings& settings);
Result<Settings> parse_settings(std::string_view text);
// "ADDR:PORT", "[::1]:8443", or a port or address alone; what is left out stays as it is.
Status parse_listen(std::string_view text, Settings& settings);

}  // namespace vouch::store
