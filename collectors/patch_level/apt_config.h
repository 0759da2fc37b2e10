// SPDX-License-Identifier: Apache-2.0
// apt's configuration, apt.conf(5): named values in nested scopes, and lists.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::patch_level {

// What the files set, in the order of first appearance. Names compare without regard to case.
class AptConfig {
 public:
  struct Item {
    std::string name;  // "APT::Default-Release"; of a list's member "APT::NeverAutoRemove::".
    std::string value;
  };

  // Reads one file's text over what is there: scalars are replaced, list members appended,
  // `#clear` removes. Fails with Errc::invalid, naming the line; what came before it stands, as
  // with apt. `#include` is refused as unsupported.
  Status read(std::string_view text);

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  // The value of a scalar; `fallback` if it is not set.
  [[nodiscard]] std::string get(std::string_view name, std::string_view fallback = {}) const;
  [[nodiscard]] bool get_bool(std::string_view name, bool fallback) const;
  // The values below `name`: of a list, or of the scalar itself.
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

  void set(std::string name, std::string value);
  void append(std::string_view list, std::string value);
  void clear(std::string_view name);

 private:
  std::vector<Item> items_;
};

// yes, true, with, on, enable, 1 and their opposites, as apt understands them.
bool apt_bool(std::string_view text, bool fallback);

// True for the names that apt reads in its .d directories: letters, digits, `_`, `-`, `.`, and the
// extension given, or none if `may_lack_extension`.
bool is_apt_part(std::string_view name, std::string_view extension, bool may_lack_extension);

}  // namespace vouch::patch_level
