// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/http/secret.h"

namespace vouch::http_json {
namespace {

// What is wrong with one object of many; anything else would be wrong with the next one, too.
bool concerns_one_object(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::invalid ||
         error.code == Errc::tool_failed;
}

}  // namespace

const Collected& Sources::collect(const SourceSpec& source) {
  const auto known = collected_.find(&source);
  if (known != collected_.end()) return known->second;
  return collected_.emplace(&source, ask(source)).first->second;
}

Result<Fetcher*> Sources::fetcher_of(const ServerSpec& server) {
  auto& fetcher = fetchers_[&server];
  if (fetcher) return fetcher.get();
  std::string secret;
  if (!server.credential.empty()) {
    auto read = read_secret(server.credential);
    if (!read) return std::move(read).error().in("the credential");
    const auto is_visible = [](char c) { return c >= ' ' && c != '\x7f'; };
    if (!std::all_of(read->begin(), read->end(), is_visible)) {
      return Error{Errc::invalid, "the credential is more than one line"};
    }
    secret = *std::move(read);
  }
  fetcher = std::make_unique<Fetcher>(web_, server, std::move(secret));
  return fetcher.get();
}

Collected Sources::ask(const SourceSpec& source) {
  Collected collected;
  const auto fetcher = fetcher_of(*source.server);
  if (!fetcher) {
    collected.error = fetcher.error();
    return collected;
  }
  if (source.parent != nullptr) {
    ask_for_each(source, **fetcher, collected);
    return collected;
  }
  const auto url = first_url(source, nullptr);
  const auto status = url ? ask_series(source, nullptr, *url, **fetcher, collected) : url.error();
  if (!status) collected.error = status.error();
  return collected;
}

Status Sources::ask_series(const SourceSpec& source, const std::vector<sdk::Value>* parent_row,
                           const std::string& url, Fetcher& fetcher, Collected& collected) {
  return follow_pages(
      fetcher, source, url, [&](std::size_t page, const json::Value& value) -> Result<std::size_t> {
        const auto take = [&](std::size_t index, Result<std::vector<sdk::Value>> values) {
          if (values) {
            collected.rows.push_back(*std::move(values));
            return;
          }
          const std::string where = parent_row == nullptr ? "" : without_query(url) + ", ";
          collected.gaps.emplace_back(fmt::format("{}page {}, row {}", where, page, index),
                                      values.error());
        };
        auto rows = read_rows(source, value, parent_row, take);
        if (rows && static_cast<std::int64_t>(collected.rows.size()) > source.rows_max) {
          return Error{Errc::too_large,
                       fmt::format("there are more than {} rows (rows_max)", source.rows_max)};
        }
        return rows;
      });
}

void Sources::ask_for_each(const SourceSpec& source, Fetcher& fetcher, Collected& collected) {
  const Collected& parent = collect(*source.parent);
  const std::string& name = source.parent->table->name;
  if (parent.error) {
    collected.error = Error(*parent.error).in(name + ", whose rows lead here");
    return;
  }
  for (const auto& [object, error] : parent.gaps) {
    collected.gaps.emplace_back(name + ": " + object, error);
  }
  for (const auto& row : parent.rows) {
    const auto url = first_url(source, &row);
    if (!url) {
      collected.gaps.emplace_back(source.path, url.error());
      continue;
    }
    const std::size_t rows_before = collected.rows.size();
    const auto status = ask_series(source, &row, *url, fetcher, collected);
    if (status) continue;
    if (!concerns_one_object(status.error())) {
      collected.error = status.error();
      return;
    }
    collected.rows.resize(rows_before);
    collected.gaps.emplace_back(without_query(*url), status.error());
  }
}

}  // namespace vouch::http_json
