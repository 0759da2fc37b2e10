// SPDX-License-Identifier: Apache-2.0
// The host's time zone, for logs that write local time without saying so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/root.h"

namespace vouch::patch_level {

// While it lives, the process's time zone is that of the root's /etc/localtime (UTC if there is
// none); the one before comes back at the end.
class LocalTime {
 public:
  explicit LocalTime(const Root& root);
  ~LocalTime();
  LocalTime(const LocalTime&) = delete;
  LocalTime& operator=(const LocalTime&) = delete;

  // "2026-11-27 09:49:59", with any number of blanks between; what follows is not looked at. Of
  // the hour that the end of summer time repeats, the first. Nothing for what is no date.
  [[nodiscard]] std::optional<WallSeconds> parse(std::string_view text) const;

 private:
  std::optional<std::string> before_;  // TZ of the environment.
  Fd zone_;
};

}  // namespace vouch::patch_level
