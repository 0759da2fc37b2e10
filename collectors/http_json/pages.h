// SPDX-License-Identifier: Apache-2.0
// A series of pages, to its end: which may be in none of the ways in which pages can go wrong.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "collectors/http_json/fetch.h"

namespace vouch::http_json {

// The URL of the first page, for a row of the parent, if there is one. Errc::invalid: a cell that
// the path needs is null or empty.
Result<std::string> first_url(const SourceSpec& source, const std::vector<sdk::Value>* parent_row);

// Receives the value of each page; says how many rows it has.
using PageSink = std::function<Result<std::size_t>(std::size_t page, const json::Value& value)>;

// Errors say which page and why: an answer that is no 200, no JSON, cut short, over a bound; pages
// that go in a circle or never end; a next page where none is expected (pages: none). An answer
// that says that there is nothing is a good end.
Status follow_pages(Fetcher& fetcher, const SourceSpec& source, const std::string& first,
                    const PageSink& sink);

// The values of the rows in a page; an error that goes to `gap` voids one row. Returns how many
// rows there were. Errc::invalid: there is no list, or object, at `rows`.
using RowSink = std::function<void(std::size_t index, Result<std::vector<sdk::Value>> values)>;
Result<std::size_t> read_rows(const SourceSpec& source, const json::Value& page,
                              const std::vector<sdk::Value>* parent_row, const RowSink& sink);

}  // namespace vouch::http_json
