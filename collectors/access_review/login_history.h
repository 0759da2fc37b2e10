// SPDX-License-Identifier: Apache-2.0
// The newest login of each account, from the records that a host keeps: wtmp and lastlog, and the
// databases that follow them in newer releases, wtmpdb and lastlog2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::access {

struct LastLogin {
  std::optional<std::int64_t> at;  // nullopt: never, as far as the records go.
  std::string source;              // The record that says so; all that were read, if never.
};

class LoginHistory {
 public:
  // Errc::not_found where the root keeps none of the four. What is damaged is in gaps().
  static Result<LoginHistory> read(const Root& root);

  [[nodiscard]] LastLogin last(const std::string& user, std::int64_t uid) const;
  [[nodiscard]] const std::vector<std::pair<std::string, Error>>& gaps() const { return gaps_; }

 private:
  struct Newest {
    std::int64_t at = 0;
    std::string_view source;
  };
  Status read_wtmp(const Root& root, const std::string& path);
  Status read_database(const Root& root, const std::string& path, std::string_view source);
  void note(const std::string& user, std::int64_t at, std::string_view source);

  std::map<std::string, Newest> newest_;  // By user name.
  Fd lastlog_;                            // By user id: read when asked.
  std::vector<std::string_view> sources_;
  std::vector<std::pair<std::string, Error>> gaps_;
};

// The logins of a wtmpdb or lastlog2 database, given as the bytes of its file: user and seconds
// since 1970, not sorted. Errc::corrupt for what is no such database.
Result<std::vector<std::pair<std::string, std::int64_t>>> parse_login_database(
    std::string_view bytes, std::string_view source);

}  // namespace vouch::access
