// SPDX-License-Identifier: Apache-2.0
// YAML files written by people: a tree of nodes that know where they stand, so that every message
// can say file:line:column. The only place that includes yaml-cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace vouch::yaml {

struct Mark {
  int line = 0;    // From 1.
  int column = 0;  // From 1.
};

// Anchors, aliases, tags and merge keys are refused; so are duplicate keys, more than one document,
// depth over 32 and invalid UTF-8.
struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  bool quoted = false;  // Scalar: written in quotes or as a block: text.
  std::string scalar;
  std::vector<Node> items;                     // Sequence.
  std::vector<std::pair<Node, Node>> members;  // Mapping, in file order; keys are scalars.
  Mark mark;

  Node();  // Out of line: clang 14 cannot make it while Node is incomplete.

  [[nodiscard]] const Node* find(std::string_view key) const;  // nullptr if absent or no mapping.
};

// Errors are "<file_name>:<line>:<column>: <what is wrong>".
Result<Node> parse(std::string_view text, std::string_view file_name);

// An error at a node, in the same form.
Error error_at(std::string_view file_name, const Node& node, std::string_view what);

// Scalars by the YAML 1.2 core schema: null, true/false, integers (decimal), else text; quoted is
// always text. Floats are refused by position. Used for pack parameters and test rows.
Result<json::Value> to_json(const Node& node, std::string_view file_name);

}  // namespace vouch::yaml
