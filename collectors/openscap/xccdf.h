// SPDX-License-Identifier: Apache-2.0
// Results of XCCDF (NIST IR 7275, versions 1.1 and 1.2), alone or inside an ARF, read in pieces:
// such a file has megabytes, of which one element in a hundred matters. No document type is
// accepted: there are no entities.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::openscap {

struct RuleResult {
  std::string rule_id;
  std::string result;    // pass, fail, error, unknown, notapplicable, notchecked, notselected …
  std::string severity;  // unknown, info, low, medium, high; empty: not said.
  std::string title;     // Of the benchmark's rule; empty: the file has no such rule.
  std::vector<std::string> identifiers;  // CCE and others, of the rule and the result; sorted.
};

struct TestResult {
  std::string benchmark;          // Its id.
  std::string benchmark_version;  // Empty: not said.
  std::string profile;            // Empty: the default one.
  std::string scanner;            // test-system; empty: not said.
  std::string started, finished;  // As written.
  std::string score;              // Of the default system; empty: none.
  std::vector<RuleResult> rules;  // As they come.
};

class XccdfReader {
 public:
  XccdfReader();
  ~XccdfReader();
  XccdfReader(const XccdfReader&) = delete;
  XccdfReader& operator=(const XccdfReader&) = delete;

  // Errc::invalid: no XML, or more than XML; too_large: too deep, too many rules, a text over 64
  // KiB.
  Status feed(std::string_view bytes);
  // Errc::invalid: the file ends too early, or has no result of a test, or several.
  Result<TestResult> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::openscap
