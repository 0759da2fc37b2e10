// SPDX-License-Identifier: Apache-2.0
// What the host's name service says of accounts and groups that are in no file of the host.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::access {

// The seam to NSS. Answers are lines as in passwd(5) and group(5).
class NameService {
 public:
  virtual ~NameService() = default;
  // Everything that `database` ("passwd", "group") lists; a directory may list nothing.
  virtual Result<std::string> list(const std::string& database) = 0;
  // The entries of these names. Names that nobody knows are left out, without an error.
  virtual Result<std::string> find(const std::string& database,
                                   const std::vector<std::string>& names) = 0;
};

// Asks getent(1): the modules of the name service, which talk to networks and daemons, then run in
// a process of their own.
class Getent final : public NameService {
 public:
  // All questions together may take that long.
  explicit Getent(std::chrono::milliseconds time_left);
  Result<std::string> list(const std::string& database) override;
  Result<std::string> find(const std::string& database,
                           const std::vector<std::string>& names) override;

 private:
  Result<std::string> ask(std::vector<std::string> arguments);
  std::chrono::steady_clock::time_point end_;
};

// Sources of `database` ("passwd") in nsswitch.conf(5) that are no local files: {"sss"}.
std::vector<std::string> remote_sources(std::string_view nsswitch, std::string_view database);

}  // namespace vouch::access
