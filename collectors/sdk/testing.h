// SPDX-License-Identifier: Apache-2.0
// For tests of collectors: a file tree to examine, and a run of a collector inside the test.
// Library vouch_collector_testing; no program links it.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/sdk/manifest.h"
#include "core/json.h"

namespace vouch::sdk {

// A temporary directory that is removed at the end. Paths are absolute inside it; parents are made.
class TestTree {
 public:
  TestTree();
  ~TestTree();
  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;

  TestTree& file(std::string_view path, std::string_view bytes, mode_t mode = 0644);
  TestTree& directory(std::string_view path, mode_t mode = 0755);
  TestTree& symlink(std::string_view path, std::string_view target);
  TestTree& fifo(std::string_view path);
  TestTree& remove(std::string_view path);
  [[nodiscard]] const std::string& path() const { return path_; }  // On the host.

 private:
  std::string host_path(std::string_view path) const;
  std::string path_;
};

// A collector's answer, checked as the runner would: one answer per table, counts, an end.
struct TestAnswer {
  std::map<std::string, std::vector<json::Value>> tables;  // Rows of the good tables.
  std::map<std::string, std::string> errors;               // Table → "code: message".
  std::map<std::string, std::string> tokens;               // Table → cache token.
  std::vector<std::string> unchanged;
  std::string violation;  // What the runner would refuse; empty if nothing.
  std::string raw;        // Every byte of the answer: search it for planted secrets.

  // The cell as text ("null", "true", "42", or the string) of the only row where `column` is
  // `value`; "" if there is no such row, "several" if there are more.
  [[nodiscard]] std::string cell(std::string_view table, std::string_view column,
                                 std::string_view value, std::string_view wanted) const;
  // True if `gaps` has a row for the table and object.
  [[nodiscard]] bool has_gap(std::string_view table, std::string_view object) const;
};

struct TestRequest {
  std::vector<std::string> tables = {};  // Empty: all. `gaps` is added.
  json::Object options = {};
  std::string cache_dir = {};
  std::map<std::string, std::string> tokens = {};
};

TestAnswer run_collector(const Collector& collector, const std::string& root,
                         const TestRequest& request = {});

}  // namespace vouch::sdk
