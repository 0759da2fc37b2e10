// SPDX-License-Identifier: Apache-2.0
// A runner that starts the collector itself, as its own child: without systemd (a container,
// --once, the command line). Limits and a process group are the isolation that is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/vouchd/runner.h"
#include "core/file.h"

namespace vouch::agent {

class DirectRunner final : public Runner {
 public:
  // `clock` must outlive the runner. `cache_root`: directory of the collectors' cache directories;
  // empty: none is offered.
  explicit DirectRunner(const Clock& clock, std::string cache_root = "");
  RunReport run(const Collector& collector, const RunRequest& request) override;
  void cancel() override;

 private:
  // What tells one file from another without reading it.
  struct FileMark {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
    bool operator==(const FileMark&) const = default;
  };
  Result<std::string> digest_of(const std::string& program);

  std::map<std::string, std::pair<FileMark, std::string>> digests_;
  const Clock& clock_;
  std::string cache_root_;
  Fd cancel_event_;
};

// The tables of `collector` whose needs this process cannot grant, by its effective capabilities.
std::vector<std::string> ungranted_tables(const Manifest& manifest, std::uint64_t capabilities);
// CapEff of /proc/self/status.
std::uint64_t effective_capabilities();

}  // namespace vouch::agent
