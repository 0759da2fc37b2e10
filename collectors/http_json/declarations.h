// SPDX-License-Identifier: Apache-2.0
// Which servers there are, and what is asked of them: the sections `servers` and `sources` of the
// site's file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/sdk/declared.h"
#include "collectors/sdk/json_pointer.h"

namespace vouch::http_json {

struct ServerSpec {
  std::string name;
  std::string url;     // "https://api.example.com/v1": paths are added to it.
  std::string origin;  // Where the credential may go.
  std::vector<std::string> headers;
  std::string credential;                                   // A file; empty: none.
  std::string credential_header = "Authorization: Bearer";  // The secret follows after a space.
  std::string ca_file;
  std::string pinned_key;
};

enum class Paging { none, link, cursor, url, number };

// An answer that says that there is nothing, where another one of its status is an error.
struct Absence {
  int status = 404;
  std::optional<sdk::JsonPointer> pointer;  // Where `equals` stands in its body.
  std::string equals;
};

struct SourceSpec {
  std::shared_ptr<const sdk::DeclaredTable> table;  // Shared with the table of the manifest.
  std::shared_ptr<const ServerSpec> server;         // Shared with other sources of it.
  std::string path;                                 // May hold {column} of the parent's table.
  std::vector<std::string> query;                   // "name=value", as they are, not encoded.
  sdk::JsonPointer rows;
  bool is_single = false;  // One row: the object behind `rows`.
  Paging paging = Paging::none;
  sdk::JsonPointer cursor;      // cursor, url: where in a page it stands.
  std::string parameter;        // cursor, number: its name.
  std::int64_t first_page = 1;  // number.
  const SourceSpec* parent =
      nullptr;  // One series of pages for each of its rows. In the same list.
  std::vector<std::optional<std::size_t>> inherited;  // By column: the parent's, if it is from it.
  std::vector<Absence> absences;
  std::int64_t pages_max = 100;
  std::int64_t rows_max = 100'000;
  std::int64_t page_bytes_max = std::int64_t{8} << 20;
};

// In the order of the file; a parent stands before its children. Errors name file, line and column.
Result<std::vector<std::unique_ptr<const SourceSpec>>> read_sources(
    const sdk::Declarations& declarations);

}  // namespace vouch::http_json
