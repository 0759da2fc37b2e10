// SPDX-License-Identifier: Apache-2.0
// What is the same whoever starts a collector: that the file which runs is the one on record, what
// it may be asked, and what its end makes of what it said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/vouchd/runner.h"
#include "core/file_digest.h"
#include "core/process.h"

namespace vouch::agent {

class CheckedRunner : public Runner {
 public:
  // `clock` must outlive the runner.
  explicit CheckedRunner(const Clock& clock) : clock_(clock) {}
  RunReport run(const Collector& collector, const RunRequest& request) final;
  Result<std::string> describe(const std::string& name, const std::string& program,
                               const std::string& input) final;

 protected:
  // What the collector will be granted.
  struct Grants {
    std::uint64_t capabilities = 0;
    std::string cache_root;  // Empty: no cache directory.
  };
  struct Start {
    std::string collector;  // With its instance.
    std::string program;
    FileMark file;  // Of the program whose digest goes on record.
    bool describe = false;
    std::string input;
    std::chrono::milliseconds deadline{0};
    std::string cache_dir;  // To be made, if it is not there; empty: none.
  };
  // Called before each start(), which is for the same collector.
  virtual Result<Grants> grants(const std::string& collector) = 0;
  // Runs to the end; fails if it could not be started. `sink` returning false ends it.
  virtual Result<Exit> start(const Start& start, const OutputSink& sink) = 0;

 private:
  const Clock& clock_;
  FileDigests digests_;
};

// The tables of `manifest` whose needs `capabilities` do not grant.
std::vector<std::string> ungranted_tables(const Manifest& manifest, std::uint64_t capabilities);

}  // namespace vouch::agent
