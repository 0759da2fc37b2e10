// SPDX-License-Identifier: Apache-2.0
// The sources of one run: each is asked once, for its own table and for those that go on from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/http_json/pages.h"

namespace vouch::http_json {

// What a source gave.
struct Collected {
  std::vector<std::vector<sdk::Value>> rows;
  std::vector<std::pair<std::string, Error>> gaps;  // Object and reason.
  std::optional<Error> error;                       // Then there is no table.
};

class Sources {
 public:
  // `web` outlives this.
  explicit Sources(Web& web) : web_(web) {}
  const Collected& collect(const SourceSpec& source);

 private:
  Result<Fetcher*> fetcher_of(const ServerSpec& server);
  Collected ask(const SourceSpec& source);
  Status ask_series(const SourceSpec& source, const std::vector<sdk::Value>* parent_row,
                    const std::string& url, Fetcher& fetcher, Collected& collected);
  void ask_for_each(const SourceSpec& source, Fetcher& fetcher, Collected& collected);

  Web& web_;
  std::map<const ServerSpec*, std::unique_ptr<Fetcher>> fetchers_;
  std::map<const SourceSpec*, Collected> collected_;
};

}  // namespace vouch::http_json
