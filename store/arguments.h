// SPDX-License-Identifier: Apache-2.0
// The words of a command line: `--name VALUE` or `--name=VALUE`, flags, and what is left.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::store {

class Arguments {
 public:
  // `options` take a value, `flags` do not; anything else that starts with "-" is Errc::invalid.
  static Result<Arguments> parse(const std::vector<std::string>& words,
                                 const std::vector<std::string>& options,
                                 const std::vector<std::string>& flags);

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }
  // The last value given; `fallback` if none was.
  [[nodiscard]] std::string get(const std::string& name, std::string fallback = "") const;
  [[nodiscard]] std::vector<std::string> all(const std::string& name) const;
  [[nodiscard]] const std::vector<std::string>& rest() const { return rest_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> rest_;
};

// "24h", "30m", "7d", "45s".
Result<std::int64_t> parse_duration_seconds(std::string_view text);
// A decimal from 1 to `value_max`.
Result<std::int64_t> parse_count(std::string_view text, std::int64_t value_max);

}  // namespace vouch::store
