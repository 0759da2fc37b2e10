// SPDX-License-Identifier: Apache-2.0
// Reads the members of one YAML mapping strictly. The first thing wrong is kept, with its place;
// what is read after that is empty. So a loader reads all members and looks at status() once.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/yaml.h"

namespace vouch::policy {

class YamlFields {
 public:
  // `node` must be a mapping with no other keys than `allowed`. Node and names must outlive this.
  YamlFields(std::string_view file_name, const yaml::Node& node,
             std::initializer_list<std::string_view> allowed);

  // Required unless a fallback is given. Text is any scalar but null; white space at its ends goes.
  std::string text(std::string_view key);
  std::string text_or(std::string_view key, std::string_view fallback);
  std::string id(std::string_view key);      // is_id()
  std::string second(std::string_view key);  // A second.
  std::string second_or(std::string_view key, std::string_view fallback);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::int64_t> optional_integer(std::string_view key);
  bool boolean_or(std::string_view key, bool fallback);
  std::string one_of(std::string_view key, std::initializer_list<std::string_view> values);
  std::string one_of_or(std::string_view key, std::initializer_list<std::string_view> values,
                        std::string_view fallback);
  // Absent: empty. More than `most` entries are refused.
  std::vector<std::string> texts(std::string_view key, std::size_t most);
  const std::vector<yaml::Node>& sequence(std::string_view key, std::size_t most);
  const std::vector<yaml::Node>& optional_sequence(std::string_view key, std::size_t most);
  // A mapping of the key, or nullptr if it is absent.
  const yaml::Node* mapping(std::string_view key);
  [[nodiscard]] const yaml::Node* find(std::string_view key) const { return node_.find(key); }

  // Records an error at a node, unless there is one already.
  void fail(const yaml::Node& node, std::string_view what);
  void fail(Error error);
  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] Status status() const;

 private:
  const yaml::Node* require(std::string_view key);
  std::string scalar(const yaml::Node& node, std::string_view key);

  std::string_view file_name_;
  const yaml::Node& node_;
  std::optional<Error> error_;
};

// The object of scalars (and lists of scalars) under a mapping.
Result<json::Object> read_cells(std::string_view file_name, const yaml::Node& node);

}  // namespace vouch::policy
