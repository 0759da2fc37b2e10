// SPDX-License-Identifier: Apache-2.0
// Reads one mapping of a configuration file strictly. Each call takes a key into its variable,
// which keeps its value where the file does not name it; the first thing wrong is kept, with its
// place, so that reading a section is a plain list of calls:
//
//   YamlSection section(node, file_name, "a collector");
//   section.path("program", program);
//   section.number("interval", interval_s, parse_duration, 1, kIntervalSecondsMax);
//   if (auto status = section.finish(); !status) return status;
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/yaml.h"

namespace vouch {

// "90s", "5m", "1h", "7d", or seconds as an integer. "256MiB", "1GiB", or bytes as an integer.
Result<std::int64_t> parse_duration(std::string_view text);
Result<std::int64_t> parse_size(std::string_view text);
Result<std::int64_t> parse_count(std::string_view text);  // A number, no unit.

class YamlSection {
 public:
  // Node and names must outlive this. `what` is for messages: "the configuration".
  YamlSection(const yaml::Node& node, std::string_view file_name, std::string_view what);

  using Allowed = std::function<bool(std::string_view)>;
  void text(std::string_view key, std::string& out, const Allowed& allowed,
            std::string_view expected);
  void path(std::string_view key, std::string& out);  // Absolute.
  // A list of at most `most` scalars, each allowed. `expected` is the plural: "absolute paths".
  void texts(std::string_view key, std::vector<std::string>& out, std::size_t most,
             const Allowed& allowed, std::string_view expected);
  void paths(std::string_view key, std::vector<std::string>& out);  // Absolute.
  void boolean(std::string_view key, bool& out);                    // true or false.
  using Parse = Result<std::int64_t> (*)(std::string_view);
  void number(std::string_view key, std::int64_t& out, Parse parse, std::int64_t min,
              std::int64_t max);

  // The node under a key, for what the caller reads itself; nullptr if it is absent.
  const yaml::Node* take(std::string_view key);
  // Keeps an error at a node, unless there is one already.
  void fail(const yaml::Node& at, std::string_view message);
  void fail(Error error);  // One that names its place itself.
  // After all keys were taken: those that are left are errors.
  Status finish();

 private:
  const yaml::Node& node_;
  std::string_view file_name_;
  std::string_view what_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace vouch
