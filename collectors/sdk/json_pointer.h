// SPDX-License-Identifier: Apache-2.0
// JSON pointers (RFC 6901): where in a text something stands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace vouch::sdk {

class JsonPointer {
 public:
  // "" is the whole text; else "/" before each member or index, with "~0" for "~" and "~1" for "/".
  static Result<JsonPointer> parse(std::string_view text);
  // The pointer to one member, whatever its name is.
  static JsonPointer to_member(std::string name);

  // nullptr if nothing is there: no such member, no such index ("-" and "01" are none), or a value
  // on the way that has neither.
  [[nodiscard]] const json::Value* find(const json::Value& value) const;

 private:
  std::vector<std::string> steps_;
};

}  // namespace vouch::sdk
