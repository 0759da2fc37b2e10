// SPDX-License-Identifier: Apache-2.0
// Where results come from: a run of oscap, or a file that is there.
#pragma once

#include <chrono>
#include <string>

#include "collectors/openscap/xccdf.h"
#include "core/root.h"

namespace vouch::openscap {

struct Evaluation {
  std::string data_stream;  // Absolute path.
  std::string profile;      // Its id; empty: the default one.
  std::string directory;    // Where the ARF is left, as arf.xml.
};

struct Scan {
  TestResult test;
  std::string results_sha256;      // Of the ARF, or the file that was read.
  std::string data_stream_sha256;  // Empty: a file was read.
};

// Errc::unsupported: this is the sandbox of vouch-collect. oscap may not do there what it needs,
// and would judge the sandbox's own mounts.
Status can_evaluate();

// Runs the host's oscap. Errc::denied: others than root can change it or the data stream.
// Errc::tool_failed: it says so; a rule that fails is no failure of oscap.
Result<Scan> evaluate(const Root& root, const Evaluation& evaluation,
                      std::chrono::milliseconds deadline);

// XCCDF or ARF, at most 256 MiB.
Result<Scan> read_results(const Root& root, const std::string& path);

}  // namespace vouch::openscap
